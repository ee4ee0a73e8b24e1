import type { Page, Request } from '@playwright/test';
import { expect, test } from '../kit/test';

// Bytes of script, as they travel. How long they take is for `make bench-text`.
const TEXT = 10_000;
const APP = 31_000;

const entry = /\/assets\/track-[\w-]+\.js$/;
const app = /\/assets\/main-[\w-]+\.js$/;

function scripts(page: Page): () => Promise<number> {
  const sizes: Promise<number>[] = [];
  page.on('requestfinished', (request) => {
    if (request.resourceType() === 'script') sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
  });
  return async () => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

// hold keeps what a page asks for from it until it is let go.
async function hold(page: Page, what: RegExp): Promise<() => void> {
  let release!: () => void;
  const gate = new Promise<void>((open) => (release = open));
  await page.route(what, async (route) => {
    await gate;
    await route.continue();
  });
  return release;
}

test('the text is there with 10 KB of script, before the app, which changes nothing of it', async ({ page, order, link, courierPhone }) => {
  const soup = await order();
  const path = await link(soup);
  await (await courierPhone()).accept(soup);
  const release = await hold(page, app);
  const bytes = scripts(page);
  await page.goto(path);
  const headline = page.getByRole('heading', { name: 'Ada will pick up your order' });
  await expect(headline).toBeVisible();
  await expect(page.getByText('Order A-17')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Arriving' })).toBeVisible();
  const small = await bytes();
  console.log(`customer page: ${small} bytes of script before the text`);
  expect(small).toBeGreaterThan(3_000);
  expect(small).toBeLessThanOrEqual(TEXT);
  const places = () => page.locator('h1, .range').evaluateAll((all) => all.map((one) => [one.textContent, one.getBoundingClientRect().top, one.getBoundingClientRect().height]));
  const before = await places();

  release();
  await expect(page.getByRole('region', { name: 'Progress' })).toBeVisible();
  await expect(headline).toHaveCount(1);
  expect(await places()).toEqual(before);
  const whole = await bytes();
  console.log(`customer page: ${whole} bytes of script in all`);
  expect(whole).toBeLessThanOrEqual(APP);
});

test('the order is asked for while the page’s own script is on its way', async ({ page, order, link }) => {
  const path = await link(await order());
  const asked: Request[] = [];
  page.on('request', (request) => new URL(request.url()).pathname === '/v1/track' && asked.push(request));
  const release = [await hold(page, entry), await hold(page, app)];
  await page.goto(path, { waitUntil: 'commit' });
  await expect.poll(() => asked.length).toBe(1);
  for (const open of release) open();
  await expect(page.getByRole('region', { name: 'Progress' })).toBeVisible();
  expect(asked, 'asked once, for all that needs it').toHaveLength(1);
});

test('an app that cannot be had is tried again, and the text stays meanwhile', async ({ page, order, link, faults }) => {
  faults.allowAway();
  const path = await link(await order());
  let lost = 0;
  await page.route(app, (route) => (lost++ < 2 ? route.abort() : route.continue()));
  await page.goto(path);
  const headline = page.getByRole('heading', { name: 'Finding a courier' });
  await expect(headline).toBeVisible();
  await expect.poll(() => lost).toBeGreaterThan(0);
  await expect(headline).toBeVisible();
  await expect(page.getByRole('region', { name: 'Progress' })).toBeVisible({ timeout: 20_000 });
});
