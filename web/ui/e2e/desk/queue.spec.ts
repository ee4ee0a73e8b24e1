import { expect, test, wantAccessible } from '../kit/test';
import { drawer, openDesk, rows } from './desk';

const MANY = 1_000;

test('a thousand orders in the queue: drawn where they are seen, the keyboard stays', async ({ page, staff, order, merchant }, info) => {
  test.slow();
  const soups = await merchant();
  for (let n = 0; n < MANY; n += 25) {
    await Promise.all(
      Array.from({ length: 25 }, (_, more) =>
        order({ reference: `Q-${String(n + more).padStart(4, '0')}`, deliver_by: new Date(Date.now() + (60 + n + more) * 60_000).toISOString() }, soups),
      ),
    );
  }
  await openDesk(page, await staff('dispatcher', 'Robin'));
  await expect(page.getByRole('tab', { name: 'Unassigned' })).toHaveText(/^1000/);
  expect(await rows(page).count()).toBeLessThan(40);
  await wantAccessible(page);

  const list = page.locator('#queue-rows');
  const active = list.locator('.active');
  await page.keyboard.press('q');
  await expect(list).toBeFocused();
  await expect(active).toHaveAttribute('aria-posinset', '1');
  await page.keyboard.press('End');
  await expect(active).toContainText('Q-0999');
  await expect(active).toHaveAttribute('aria-posinset', '1000');
  await expect(active).toHaveAttribute('aria-setsize', '1000');
  await expect(active).toBeInViewport();
  await expect(list).toHaveAttribute('aria-activedescendant', (await active.getAttribute('id'))!);

  // Scrolled far away by hand, the keyboard goes on where it was.
  await list.evaluate((element) => element.parentElement!.scrollTo(0, 0));
  await expect(rows(page).filter({ hasText: 'Q-0003' })).toBeInViewport();
  await expect(list).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(active).toContainText('Q-0998');
  await expect(active).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(drawer(page).getByRole('heading', { level: 2 })).toHaveText('Q-0998');

  // A whole scroll through the list, a page a frame; how long frames took.
  const frames = await list.evaluate(async (element) => {
    const box = element.parentElement!;
    box.scrollTo(0, 0);
    const times: number[] = [];
    let last = performance.now();
    while (box.scrollTop < box.scrollHeight - box.clientHeight - 1) {
      box.scrollBy(0, 300);
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      times.push(now - last);
      last = now;
    }
    return times.sort((a, b) => a - b);
  });
  const part = (of: number) => frames[Math.floor(frames.length * of)]!.toFixed(1);
  info.annotations.push({ type: 'figures', description: `${frames.length} frames: median ${part(0.5)} ms, 95 % ${part(0.95)} ms, slowest ${frames.at(-1)!.toFixed(1)} ms` });
  console.log(info.annotations.at(-1)!.description);
  expect(frames.length).toBeGreaterThan(200);
  expect(await rows(page).count()).toBeLessThan(40);
});

test('what comes in above does not move what is being read', async ({ page, staff, order }) => {
  const place = (name: string, minutes: number) => order({ reference: name, deliver_by: new Date(Date.now() + minutes * 60_000).toISOString() });
  for (let n = 0; n < 30; n++) await place(`Q-${100 + n}`, 100 + n);
  await openDesk(page, await staff('dispatcher', 'Robin'));
  const list = page.locator('#queue-rows');
  await list.evaluate((element) => element.parentElement!.scrollTo(0, 12 * 76));
  const read = rows(page).filter({ hasText: 'Q-112' });
  await expect(read).toBeInViewport();
  const before = (await read.boundingBox())!.y;
  await place('Urgent', 60);
  await expect(page.getByRole('tab', { name: 'Unassigned' })).toHaveText(/^31/);
  await expect(read).toHaveAttribute('aria-posinset', '14');
  expect(Math.abs((await read.boundingBox())!.y - before)).toBeLessThan(2);
});
