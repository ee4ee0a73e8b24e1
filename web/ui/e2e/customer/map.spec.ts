import type { Page } from '@playwright/test';
import { at, expect, test } from '../kit/test';

test.use({ flags: ['--mode', 'assign'] });

// Where the courier's mark has been over a while, in pixels.
function path(page: Page, ms: number): Promise<number[]> {
  return page.evaluate(
    (long) =>
      new Promise<number[]>((done) => {
        const seen: number[] = [];
        const until = performance.now() + long;
        const look = () => {
          seen.push(document.querySelector('.rider')!.getBoundingClientRect().x);
          if (performance.now() < until) requestAnimationFrame(look);
          else done(seen);
        };
        look();
      }),
    ms,
  );
}

for (const calm of [false, true]) {
  test(`between fixes the courier ${calm ? 'does not move where motion is unwelcome' : 'moves smoothly'}`, async ({ page, order, link, courierPhone }) => {
    await page.emulateMedia({ reducedMotion: calm ? 'reduce' : 'no-preference' });
    const soup = await order();
    const ada = await courierPhone();
    await ada.assigned(soup);
    await ada.pickUp(soup);
    await ada.at(at(300));
    await page.goto(await link(soup));
    await expect(page.locator('.rider')).toBeVisible();
    await ada.at(at(400));
    await page.waitForTimeout(1_000); // the pace of fixes is what the mark goes by
    const walk = path(page, 1_500);
    await ada.at(at(500));
    const seen = await walk;
    const places = new Set(seen.map(Math.round)).size;
    if (calm) expect(places).toBeLessThanOrEqual(2);
    else expect(places).toBeGreaterThan(5);
    const far = Math.max(...seen) - Math.min(...seen);
    expect(far).toBeGreaterThan(10);
    const jump = Math.max(...seen.slice(1).map((x, index) => Math.abs(x - seen[index]!)));
    if (!calm) expect(jump).toBeLessThan(far / 2);
  });
}

test('the map comes after the text, and only when there is something on it', async ({ page, order, link, courierPhone }) => {
  const soup = await order();
  const loaded: string[] = [];
  page.on('request', (request) => void (/maplibre|RouteMap/.test(request.url()) && loaded.push(request.url())));
  await page.goto(await link(soup));
  await expect(page.getByText('Finding a courier')).toBeVisible();
  const ada = await courierPhone();
  await ada.assigned(soup);
  await expect(page.getByText('Ada will pick up your order')).toBeVisible();
  await page.waitForLoadState('networkidle');
  expect(loaded).toEqual([]);
  await ada.pickUp(soup);
  await ada.at(at(500));
  await expect(page.getByRole('region', { name: 'Live position' })).toBeVisible();
  await expect(page.locator('.spot.dropoff')).toBeVisible();
  expect(loaded.length).toBeGreaterThan(0);
  await ada.deliver(soup);
  await expect(page.getByText('Delivered').first()).toBeVisible();
  await expect(page.getByRole('region', { name: 'Live position' })).toBeHidden();
});

test.describe('where tiles cannot be had', () => {
  test.use({ flags: ['--mode', 'assign', '--map-style-url', 'http://127.0.0.1:9/style.json'] });

  test('the page draws its own map', async ({ page, order, link, courierPhone, faults }) => {
    faults.allowHost('127.0.0.1:9');
    faults.allowAway();
    const soup = await order();
    const ada = await courierPhone();
    await ada.assigned(soup);
    await ada.pickUp(soup);
    await ada.at(at(500));
    await page.goto(await link(soup));
    await expect(page.locator('.rider')).toBeVisible();
    await expect(page.locator('.spot.dropoff')).toBeVisible();
    await expect(page.getByText('Live position · 500 m from you')).toBeVisible();
    await expect(page.getByText('The map cannot be shown here.')).toBeHidden();
  });
});
