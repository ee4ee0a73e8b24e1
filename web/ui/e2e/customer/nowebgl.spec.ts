import { chromium } from '../kit/browser';
import { at, expect, test, wantAccessible } from '../kit/test';

test.use({ launchOptions: chromium('--disable-3d-apis'), flags: ['--mode', 'assign'] });

test('without WebGL the page says so, loads no map and tells everything else', async ({ page, order, link, courierPhone }) => {
  const soup = await order({ pin_required: true });
  const loaded: string[] = [];
  page.on('request', (request) => void (/maplibre|RouteMap/.test(request.url()) && loaded.push(request.url())));
  const ada = await courierPhone();
  await ada.assigned(soup);
  await ada.pickUp(soup);
  await ada.at(at(400));
  await page.goto(await link(soup));
  await expect(page.getByText('Live position · 600 m from you')).toBeVisible();
  await expect(page.getByText('The map cannot be shown here. Everything else keeps updating.')).toBeVisible();
  await wantAccessible(page);
  await ada.at(at(700));
  await expect(page.getByText('Live position · 300 m from you')).toBeVisible();
  await ada.at(at(995));
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ada is at your address');
  const pin = await page.getByText(/^\d{4}$/).innerText();
  await ada.deliver(soup, { pin });
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Delivered');
  await expect(page.getByText('The map cannot be shown here.')).toBeHidden();
  expect(loaded).toEqual([]);
});
