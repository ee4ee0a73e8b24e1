import { at, expect, market, test, wantAccessible } from '../kit/test';
import { findOnMap, mapIsUp, picture } from './map';

test.use({ flags: ['--mode', 'assign'] });

test('pointing at a courier names it, and a click opens it', async ({ page, staff, courierPhone }) => {
  await courierPhone();
  await page.goto(`/admin#token=${(await staff('dispatcher')).token}`);
  await mapIsUp(page);
  const ada = await findOnMap(page, /^Ada Lovelace · Free · 0 stops$/);
  await page.mouse.click(ada.x, ada.y);
  await expect(page.getByRole('complementary').getByRole('heading', { name: 'Ada Lovelace' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Follow' })).toHaveAttribute('aria-pressed', 'true');
});

test('a courier who is followed stays in the picture until someone takes the map', async ({ page, staff, courierPhone }) => {
  const ada = await courierPhone();
  await page.goto(`/admin#token=${(await staff('dispatcher')).token}`);
  await mapIsUp(page);
  const there = await findOnMap(page, /^Ada/);
  await page.mouse.click(there.x, there.y);
  const follow = page.getByRole('button', { name: 'Follow' });
  await expect(follow).toHaveAttribute('aria-pressed', 'true');
  for (let away = 500; away <= 4_000; away += 500) {
    await page.waitForTimeout(700); // as fast as a fix may be from the one before
    await ada.at(at(away, away / 4));
  }
  await findOnMap(page, /^Ada/);
  await page.mouse.wheel(0, -200);
  await expect(follow).toHaveAttribute('aria-pressed', 'false');
});

test('a courier rides above a map that is not painted again for it', async ({ page, staff, courierPhone }) => {
  await page.addInitScript(() => {
    const counted = Object.assign(window, { painted: 0 });
    const { drawElements } = WebGL2RenderingContext.prototype;
    WebGL2RenderingContext.prototype.drawElements = function (...all) {
      counted.painted++;
      return drawElements.apply(this, all);
    };
  });
  const painted = () => page.evaluate(() => (window as unknown as { painted: number }).painted);
  const ada = await courierPhone();
  await page.goto(`/admin#token=${(await staff('dispatcher')).token}`);
  await mapIsUp(page);
  const from = await findOnMap(page, /^Ada/);
  let before = 0;
  await expect.poll(async () => before === (before = await painted()), { intervals: [1_000] }).toBe(true);
  expect(before).toBeGreaterThan(0);
  for (let away = 20; away <= 80; away += 20) {
    await page.waitForTimeout(700); // as fast as a fix may be from the one before
    await ada.at(at(away));
  }
  await expect.poll(async () => (await findOnMap(page, /^Ada/)).x, { timeout: 15_000 }).not.toBe(from.x);
  expect(await painted()).toBe(before);
});

test('cells show supply, demand or their ratio, with a legend', async ({ page, staff, courierPhone, order }) => {
  await courierPhone();
  await order({ requirements: { skills: ['none has it'] }, pickup: { point: at(50), address: 'Market 1' } });
  await page.goto(`/admin#token=${(await staff('dispatcher')).token}`);
  await mapIsUp(page);
  const legend = page.locator('details.legend');
  const ada = await findOnMap(page, /^Ada/);
  await page.mouse.move(0, 0);
  const beside = { x: ada.x - 60, y: ada.y - 40 };
  const bare = await picture(page, beside);
  await expect(legend.getByRole('heading')).toHaveCount(0);
  await page.getByLabel('Figures by cell').selectOption('Free couriers');
  await expect(legend.getByRole('heading', { name: 'Free couriers' })).toBeVisible();
  await expect(legend).toContainText('8 and more');
  await expect.poll(() => picture(page, beside), { timeout: 15_000 }).not.toBe(bare);
  const supply = await picture(page, beside);
  await page.getByLabel('Figures by cell').selectOption('Couriers : orders');
  await expect(legend).toContainText('Over 2 orders a courier');
  await expect.poll(() => picture(page, beside)).not.toBe(supply);
  await wantAccessible(page);
  await page.getByLabel('Figures by cell').selectOption('No figures by cell');
  await expect.poll(() => picture(page, beside)).toBe(bare);
});

test.describe('where tiles cannot be had', () => {
  test.use({ flags: ['--mode', 'assign', '--map-style-url', 'http://127.0.0.1:9/style.json'] });

  test('the map says so and works on, on a ground of its own', async ({ page, staff, courierPhone, faults }) => {
    faults.allowHost('127.0.0.1:9');
    faults.allowAway();
    await courierPhone();
    await page.goto(`/admin#token=${(await staff('dispatcher')).token}`);
    await mapIsUp(page);
    await expect(page.getByText('Map tiles cannot be had at the moment')).toBeVisible();
    await findOnMap(page, /^Ada/);
    await wantAccessible(page);
  });

  test('they are asked for again when the connection is back', async ({ page, staff, courierPhone, faults }) => {
    faults.allowHost('127.0.0.1:9');
    faults.allowAway();
    await courierPhone();
    await page.goto(`/admin#token=${(await staff('dispatcher')).token}`);
    const lost = page.getByText('Map tiles cannot be had at the moment');
    await expect(lost).toBeVisible({ timeout: 20_000 });
    await page.route('http://127.0.0.1:9/**', (route) =>
      route.fulfill({
        headers: { 'Access-Control-Allow-Origin': '*' },
        json: {
          version: 8,
          sources: { land: { type: 'geojson', data: { type: 'Polygon', coordinates: [[[5, 52], [6, 52], [6, 53], [5, 52]]] }, attribution: 'Some maps' } },
          layers: [{ id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': '#778877' } }],
        },
      }),
    );
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await expect(lost).toBeHidden();
    await findOnMap(page, /^Ada/);
  });
});

test('the map opens on the fleet, and shows all of it when asked', async ({ page, staff, courierPhone, courier }) => {
  await courierPhone(undefined, at(-4_000));
  await courierPhone(await courier({ name: 'Ben Okri' }), at(4_000));
  await page.goto(`/admin#token=${(await staff('dispatcher')).token}`);
  await mapIsUp(page);
  const zoomIn = page.getByRole('button', { name: 'Zoom in' });
  for (let i = 0; i < 3; i++) await zoomIn.click();
  await page.getByRole('button', { name: 'Show all' }).click();
  expect(market.lat).toBeGreaterThan(0);
  const box = (await page.locator('.maplibregl-canvas').boundingBox())!;
  const tip = page.locator('.tip');
  const names = new Set<string>();
  await expect
    .poll(
      async () => {
        for (let x = 40; x < box.width; x += 12) {
          await page.mouse.move(box.x + x, box.y + box.height / 2);
          if (await tip.isVisible()) names.add((await tip.innerText()).split(' ')[0]!);
        }
        return [...names].sort();
      },
      { timeout: 20_000 },
    )
    .toEqual(['Ada', 'Ben']);
});
