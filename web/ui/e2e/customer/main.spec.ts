import { at, expect, test } from '../kit/test';

test('a customer sees an order from placed to delivered', async ({ page, order, link, courierPhone }) => {
  const headline = page.getByRole('heading', { level: 1 });
  const soup = await order({ pin_required: true, items: '2 soups', dropoff: { point: at(1000), address: 'Elm Row 9', note: 'Ring twice' } });
  await page.goto(await link(soup));
  await expect(headline).toHaveText('Finding a courier');
  await expect(page.getByText('Order A-17')).toBeVisible();
  await expect(page.getByText('Ring twice')).toBeVisible();

  const ada = await courierPhone();
  await ada.accept(soup);
  await expect(headline).toHaveText('Ada will pick up your order');
  await ada.pickUp(soup);
  await ada.at(at(500));
  await expect(headline).toHaveText('Ada is on the way to you');
  await expect(page.getByText('Live position')).toBeVisible();

  await ada.at(at(990));
  await expect(headline).toHaveText('Ada is at your address');
  const pin = await page.getByText(/^\d{4}$/).innerText();
  await ada.deliver(soup, { pin });
  await expect(headline).toHaveText('Delivered');
  await expect(page.getByText('Live position')).toBeHidden();
});
