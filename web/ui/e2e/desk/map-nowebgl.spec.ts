import { chromium } from '../kit/browser';
import { expect, test, wantAccessible } from '../kit/test';

test.use({ launchOptions: chromium('--disable-3d-apis'), flags: ['--mode', 'assign'] });

test('without WebGL the map says so, is not fetched, and the lists work on', async ({ page, staff, courierPhone, order }) => {
  const loaded: string[] = [];
  page.on('request', (request) => void (/maplibre|FleetMap/.test(request.url()) && loaded.push(request.url())));
  const soup = await order();
  const ada = await courierPhone();
  await ada.assigned(soup);
  await page.goto(`/admin#token=${(await staff('dispatcher')).token}`);
  await expect(page.getByText('This browser cannot draw the map (no WebGL).')).toBeVisible();
  await page.getByRole('tab', { name: /Active/ }).click();
  await page.getByRole('option', { name: /A-17/ }).click();
  await expect(page.getByRole('complementary').getByRole('heading', { name: 'A-17' })).toBeVisible();
  await ada.pickUp(soup);
  await expect(page.getByRole('complementary').getByText('Picked up').first()).toBeVisible();
  await wantAccessible(page);
  expect(loaded).toEqual([]);
});
