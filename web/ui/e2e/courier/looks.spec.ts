import type { Page } from '@playwright/test';
import { at, expect, test, wantLooks } from '../kit/test';
import { button, duty, hold, photo, ride, signIn, stand, title } from './ride';

test.use({ clock: '2026-11-23T18:20:00Z' });
test.slow(); // four pictures of some pages, each in two themes

const pay = { amount: 450, currency: 'EUR' };
const supper = {
  pin_required: true,
  photo_required: true,
  items: '2 ramen, 1 gyoza',
  pay,
  pickup: { point: at(0), address: 'Kiln Street 4', contact: { name: 'Noodle Bar', phone: '+1 555 0100' } },
  dropoff: { point: at(1000), address: 'Elm Row 9', contact: { name: 'Ann Bell', phone: '+1 555 0101' }, note: 'Ring twice, third floor' },
  deliver_by: '2026-11-23T18:55:00Z',
};

async function found(page: Page): Promise<void> {
  await expect(page.getByText('Found you within 10 m.')).toBeVisible();
}

test('the check before the first ride', async ({ page, context, courier }) => {
  await context.grantPermissions(['geolocation']);
  await stand(context, at(200));
  await page.goto(`/courier#code=${await (await courier()).code()}`);
  await found(page);
  await wantLooks(page, 'courier-check', { mask: [page.getByText(/% ?(left|, charging)|browser does not say/)] });
});

test('waiting', async ({ page, courier }) => {
  await ride(page, await courier());
  await expect(title(page)).toHaveText('Waiting for the next order');
  await wantLooks(page, 'courier-waiting');
});

test('an offer', async ({ page, courier, order }) => {
  await ride(page, await courier());
  await order(supper);
  await expect(button(page, 'Accept')).toBeVisible();
  await wantLooks(page, 'courier-offer');
});

test('the route, the proof, the day', async ({ page, courier, order, link, other }) => {
  await ride(page, await courier());
  const first = await order(supper);
  await button(page, 'Accept').click();
  await expect(title(page)).toHaveText('Kiln Street 4');
  await button(page, 'I have arrived').click();
  await hold(button(page, 'Picked up'));
  await expect(title(page)).toHaveText('Elm Row 9');
  await order({ ...supper, reference: 'B-2', photo_required: false, pin_required: false, dropoff: { point: at(1400), address: 'Mill Lane 30' } });
  await button(page, 'Accept').click();
  await expect(page.getByText('Mill Lane 30')).toBeVisible();
  await wantLooks(page, 'courier-route');

  const customer = await other('phone');
  await customer.page.goto(await link(first));
  const pin = await customer.page.getByText(/^\d{4}$/).innerText();
  await page.getByRole('button', { name: /Elm Row 9/ }).click({ timeout: 1_000 }).catch(() => {}); // where it is not the next
  await button(page, 'I have arrived').click();
  await button(page, 'Delivered…').click();
  await page.locator('input[type=file]').setInputFiles(photo);
  await expect(page.getByAltText('The photo you took')).toBeVisible();
  await wantLooks(page, 'courier-proof', { fullPage: false });
  await page.getByLabel('Ask for it').fill(pin);
  await button(page, /^Delivered$/).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  await button(page, 'Menu').click();
  await button(page, 'Today').click();
  await expect(page.getByText('€4.50').first()).toBeVisible();
  await wantLooks(page, 'courier-day');
});

test('without a connection', async ({ page, courier, line }) => {
  await signIn(page, await courier());
  line.cut();
  await duty(page, 'Available');
  await expect(page.getByText('1 update waiting').first()).toBeVisible();
  await expect(page.getByText('The server does not answer')).toBeVisible();
  await wantLooks(page, 'courier-offline', { mask: [page.getByText(/trying again|Connecting/)] });
});
