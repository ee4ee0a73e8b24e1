import { at, expect, test, wantAccessible } from '../kit/test';

test.use({ flags: ['--mode', 'assign'] });

test('without a connection the page says so, keeps what it knows, and goes on by itself', async ({ page, line, order, link, courierPhone }) => {
  const headline = page.getByRole('heading', { level: 1 });
  const soup = await order();
  const ada = await courierPhone();
  await ada.assigned(soup);
  await page.goto(await link(soup));
  await expect(headline).toHaveText('Ada will pick up your order');
  await page.evaluate(() => Object.assign(window, { sameTab: true }));
  line.cut();
  await expect(page.getByRole('status')).toContainText('No connection');
  await expect(page.getByRole('status')).toContainText(/trying again in \d+ s/);
  await expect(headline).toHaveText('Ada will pick up your order');
  await wantAccessible(page);
  await ada.pickUp(soup);
  await ada.at(at(500));
  line.mend();
  await expect(headline).toHaveText('Ada is on the way to you', { timeout: 30_000 });
  await expect(page.getByText('Live position')).toBeVisible();
  await expect(page.getByRole('status')).toBeHidden();
  expect(await page.evaluate(() => 'sameTab' in window)).toBe(true);
});

test('who does not want to wait tries now', async ({ page, line, order, link, courierPhone }) => {
  const soup = await order();
  await page.goto(await link(soup));
  await expect(page.getByText('Finding a courier')).toBeVisible();
  line.cut();
  await expect(page.getByRole('status')).toContainText(/trying again in [4-9] s/, { timeout: 20_000 });
  line.mend();
  const ada = await courierPhone();
  await ada.assigned(soup);
  await page.getByRole('button', { name: 'Try now' }).click();
  await expect(page.getByText('Ada will pick up your order')).toBeVisible({ timeout: 2_000 });
  await expect(page.getByRole('status')).toBeHidden();
});

test('a phone that loses its network says so at once, and is back with it', async ({ page, context, order, link, courierPhone, faults }) => {
  faults.allowAway();
  const soup = await order();
  await page.goto(await link(soup));
  await expect(page.getByText('Finding a courier')).toBeVisible();
  await context.setOffline(true);
  await expect(page.getByRole('status')).toContainText('No connection', { timeout: 4_000 });
  await (await courierPhone()).assigned(soup);
  await context.setOffline(false);
  await expect(page.getByText('Ada will pick up your order')).toBeVisible({ timeout: 4_000 });
});

test('a blip shows nothing', async ({ page, line, order, link, courierPhone }) => {
  const soup = await order();
  await page.goto(await link(soup));
  await expect(page.getByText('Finding a courier')).toBeVisible();
  await page.evaluate(() => {
    const seen = Object.assign(window, { banners: 0 });
    new MutationObserver(() => (seen.banners += document.querySelectorAll('[role=status]').length)).observe(document.body, { subtree: true, childList: true });
  });
  line.cut();
  line.mend();
  await (await courierPhone()).assigned(soup);
  await expect(page.getByText('Ada will pick up your order')).toBeVisible();
  expect(await page.evaluate(() => (window as unknown as { banners: number }).banners)).toBe(0);
});

test.describe('a minute in three seconds', () => {
  test.use({ flags: ['--mode', 'assign', '--clock-rate', '20'] });

  test('a courier unheard of turns grey and says since when, and comes back', async ({ page, order, link, courierPhone }) => {
    const soup = await order();
    const ada = await courierPhone();
    await ada.assigned(soup);
    await ada.pickUp(soup);
    await ada.at(at(500));
    await page.goto(await link(soup));
    const figure = page.locator('figure');
    await expect(figure).toContainText('Live position');
    await expect(figure).toContainText(/Last seen [3-9]\d s ago/);
    await expect(page.locator('.rider')).toHaveClass(/stale/);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ada is on the way to you');
    await wantAccessible(page);
    await ada.at(at(550));
    await expect(figure).toContainText('Live position');
  });
});
