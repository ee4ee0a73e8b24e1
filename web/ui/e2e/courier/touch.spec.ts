import { at, expect, test } from '../kit/test';
import { Finger, middle } from '../kit/finger';
import { button, hold, ride, title, told } from './ride';

test.use({ flags: ['--mode', 'assign'] });

test('a finger must rest on what cannot be taken back: a tap and a swipe do nothing', async ({ page, courier, order, staff }) => {
  await ride(page, await courier());
  const soup = await order();
  await expect(title(page)).toHaveText('Market 1');
  const finger = await Finger.on(page);
  const arrive = await middle(button(page, 'I have arrived'));
  await finger.down(arrive);
  await finger.up();
  const done = button(page, 'Picked up');
  await expect(done).toBeVisible();
  const admin = await staff();
  await expect.poll(() => told(admin, soup)).toEqual(['at_pickup']);

  const there = await middle(done);
  await finger.down(there);
  await finger.up();
  await expect(done.getByText('press and hold')).toHaveClass(/short/);

  // A swipe over the button scrolls the page and leaves the button alone,
  // however long the finger stays.
  await finger.down(there);
  await finger.slide(there, { x: there.x, y: there.y - 120 });
  await expect(done).not.toHaveClass(/holding/);
  await finger.up();
  expect(await told(admin, soup)).toEqual(['at_pickup']);

  await finger.down(await middle(done));
  await expect(done).toHaveClass(/holding/);
  await expect(title(page)).toHaveText('Elm Row 9'); // held long enough
  await finger.up();
  await expect.poll(() => told(admin, soup)).toEqual(['at_pickup', 'picked_up']);
});

test('a busy phone takes a long press for what it was, and a tap for a tap', async ({ page, courier, order, staff }) => {
  await ride(page, await courier());
  const soup = await order();
  await button(page, 'I have arrived').click();
  const done = button(page, 'Picked up');
  // The page is at something else while the finger lifts.
  const busy = (from: number, until: number) =>
    done.evaluate(
      (node, [wait, end]) => {
        const block = () => {
          const free = performance.now() + end!;
          setTimeout(() => {
            while (performance.now() < free);
          }, wait);
        };
        node.addEventListener('pointerdown', block, { once: true });
      },
      [from, until],
    );

  await busy(20, 1_000);
  await done.click({ delay: 100 });
  await expect(done.getByText('press and hold')).toHaveClass(/short/);

  await busy(500, 1_200);
  await hold(done);
  await expect(title(page)).toHaveText('Elm Row 9');
  await expect.poll(async () => told(await staff(), soup)).toEqual(['at_pickup', 'picked_up']);
});

test('the route’s map follows a finger, and the page stays where it is', async ({ page, courier, order }) => {
  await ride(page, await courier(), at(300));
  await order();
  await expect(title(page)).toHaveText('Market 1');
  await button(page, 'Map').click();
  const map = page.locator('.maplibregl-canvas');
  await expect(map).toBeVisible({ timeout: 20_000 });
  const mark = page.locator('.spot.pickup');
  await expect(mark).toBeVisible();
  const place = async () => (await mark.boundingBox())!;
  const from = await middle(map);
  const [before, scrolled] = [await place(), await page.evaluate(() => scrollY)];
  const finger = await Finger.on(page);
  await finger.down(from);
  await finger.slide(from, { x: from.x + 70, y: from.y + 50 });
  await expect.poll(async () => Math.round((await place()).x - before.x)).toBeGreaterThan(50);
  expect(Math.round((await place()).y - before.y)).toBeGreaterThan(30);
  expect(await page.evaluate(() => scrollY)).toBe(scrolled);
  await finger.up();
});
