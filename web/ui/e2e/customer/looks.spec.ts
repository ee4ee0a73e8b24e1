import type { Page } from '@playwright/test';
import { at, expect, test, wantLooks } from '../kit/test';

test.use({ clock: '2026-05-04T12:00:00Z', flags: ['--mode', 'assign'] });

const soup = {
  reference: 'A-17',
  items: '2 soups, 1 bread',
  pin_required: true,
  deliver_by: '2026-05-04T12:30:00Z',
  dropoff: { point: at(1000), address: 'Elm Row 9', note: 'Third floor, the bell says Berg' },
};

function headline(page: Page) {
  return page.getByRole('heading', { level: 1 });
}

test('finding a courier', async ({ page, order, link }) => {
  await page.goto(await link(await order(soup)));
  await expect(headline(page)).toHaveText('Finding a courier');
  await wantLooks(page, 'customer-searching', { mask: [page.getByText(/^\d{4}$/)] });
});

test('on the way, at the door, delivered', async ({ page, order, link, courierPhone }) => {
  const one = await order(soup);
  const ada = await courierPhone();
  await ada.assigned(one);
  await ada.pickUp(one);
  await ada.at(at(500));
  await page.goto(await link(one));
  await expect(page.getByText('Live position · 500 m from you')).toBeVisible();
  await expect(page.locator('.rider')).toBeVisible();
  const pin = page.getByText(/^\d{4}$/);
  await wantLooks(page, 'customer-on-the-way', { mask: [pin] });
  await ada.at(at(995));
  await expect(headline(page)).toHaveText('Ada is at your address');
  await expect(page.getByText('Live position', { exact: true })).toBeVisible();
  await wantLooks(page, 'customer-at-the-door', { mask: [pin] });
  await ada.deliver(one, { pin: await pin.innerText(), note: 'Handed to Ann' });
  await expect(page.getByText('Handed to Ann')).toBeVisible();
  await wantLooks(page, 'customer-delivered');
});

test('failed', async ({ page, order, link, courierPhone }) => {
  const one = await order(soup);
  const ada = await courierPhone();
  await ada.assigned(one);
  await ada.pickUp(one);
  await ada.fail(one, 'dropoff', 'wrong_address');
  await page.goto(await link(one));
  await expect(page.getByText('The address could not be found.')).toBeVisible();
  await wantLooks(page, 'customer-failed', { mask: [page.getByText(/^\d{4}$/)] });
});

test('nothing to show', async ({ page, faults }) => {
  faults.allow(/status of 401/);
  await page.goto('/t#ct_nothing');
  await expect(page.getByText('Nothing to show here')).toBeVisible();
  await wantLooks(page, 'customer-gone');
});
