import type { Order } from '../../src/protocol/types';
import { at, expect, test, wantAccessible } from '../kit/test';
import type { Client } from '../kit/people';
import { button, duty, hold, ride, signIn, stand, title } from './ride';

// give assigns an order as soon as its courier has been heard of.
async function give(admin: Client, { id }: Order, courier: string, reason: string): Promise<void> {
  await expect(async () => {
    const { version } = await admin.get<Order>(`/orders/${id}`);
    await admin.post(`/orders/${id}/assign`, { courier, reason, version });
  }).toPass();
}

test.describe('an offer that is gone', () => {
  test('because the time is over', async ({ page, courier, order, server }) => {
    void server;
    await ride(page, await courier());
    await order();
    await expect(page.getByRole('heading', { name: 'New order' })).toBeVisible();
    await expect(page.getByRole('heading', { name: 'This offer has expired' })).toBeVisible({ timeout: 15_000 });
    await wantAccessible(page);
    await button(page, 'OK').click();
    await expect(page.getByRole('heading', { name: 'This offer has expired' })).toBeHidden();
  });
  test.use({ flags: ['--offer-timeout', '6s'] });
});

test('an offer whose order is cancelled says so', async ({ page, courier, order, staff }) => {
  await ride(page, await courier());
  const soup = await order();
  await expect(button(page, 'Accept')).toBeVisible();
  await (await staff()).post(`/orders/${soup.id}/cancel`, { reason: 'customer called' });
  await expect(page.getByRole('heading', { name: 'This order was cancelled' })).toBeVisible();
  await wantAccessible(page);
});

test('an offer that another courier got says so', async ({ page, courier, courierPhone, order, staff }) => {
  await ride(page, await courier());
  const soup = await order();
  await expect(button(page, 'Accept')).toBeVisible();
  const bo = await courier({ name: 'Bo Diddley' });
  await courierPhone(bo, at(500));
  const admin = await staff();
  await give(admin, soup, bo.id, 'closer');
  await expect(page.getByRole('heading', { name: 'Taken by another courier' })).toBeVisible();
});

test.describe('the plan that dispatch changed', () => {
  test.use({ flags: ['--mode', 'assign'] });

  test('says what came, what went and why', async ({ page, courier, courierPhone, order, staff }) => {
    const ada = await courier();
    await ride(page, ada);
    const soup = await order();
    await expect(page.getByText('Added to your route: Elm Row 9')).toBeVisible();
    await button(page, 'OK').click();
    const admin = await staff();
    await admin.post(`/orders/${soup.id}/cancel`, { reason: 'customer called' });
    await expect(page.getByText('Cancelled by dispatch: Elm Row 9 (customer called)')).toBeVisible();
    await expect(title(page)).toHaveText('Waiting for the next order');
    await wantAccessible(page);
    await button(page, 'OK').click();

    const cake = await order({ reference: 'B-2', dropoff: { point: at(800), address: 'Kiln Street 4' } });
    await expect(title(page)).toHaveText('Market 1');
    const bo = await courier({ name: 'Bo Diddley' });
    await courierPhone(bo, at(500));
    await give(admin, cake, bo.id, 'bicycle is faster');
    await expect(page.getByText('Given to another courier by dispatch: Kiln Street 4 (bicycle is faster)')).toBeVisible();
  });

  test('an action that came too late says whose doing it was, by role and never by name', async ({ page, courier, order, staff, line }) => {
    await ride(page, await courier());
    const soup = await order();
    await expect(title(page)).toHaveText('Market 1');
    line.cut();
    await expect(page.getByText('The server does not answer')).toBeVisible();
    await button(page, 'I have arrived').click();
    const robin = await staff('dispatcher', 'Robin');
    await robin.post(`/orders/${soup.id}/cancel`, { reason: 'customer called' });
    line.mend();
    await expect(page.getByText('That stop was not on your route any more, so it was not counted. It was changed by dispatch.')).toBeVisible({ timeout: 20_000 });
    await expect(page.getByText('Taken off your route by dispatch: Elm Row 9')).toBeVisible();
    await expect(page.locator('body')).not.toContainText('Robin');
    await wantAccessible(page);
  });

  test('what another device of the courier did is not said to be dispatch’s', async ({ page, context, courier, order }) => {
    await ride(page, await courier());
    await order();
    await expect(title(page)).toHaveText('Market 1');
    const tablet = await context.newPage();
    await tablet.goto('/courier');
    await button(tablet, 'I have arrived').click();
    await hold(button(tablet, 'Picked up'));
    await button(tablet, 'I have arrived').click();
    await expect(button(page, 'Delivered')).toBeVisible();
    await hold(button(tablet, 'Delivered'));
    await expect(page.getByText('Done on another device of yours: Elm Row 9')).toBeVisible();
    await expect(title(tablet)).toHaveText('Waiting for the next order');
    await expect(tablet.getByText('Done on another device')).toBeHidden();
  });
});

test('location that is denied says what to do, and goes on when it is allowed', async ({ page, context, courier }) => {
  const ada = await courier();
  await context.clearPermissions();
  await page.goto(`/courier#code=${await ada.code()}`);
  await button(page, 'Allow location').click();
  await expect(page.getByText(/^Not allowed\./)).toBeVisible();
  await wantAccessible(page);
  await button(page, 'Start').click();
  await duty(page, 'Available');
  await expect(page.getByText('Location is off')).toBeVisible();
  await wantAccessible(page);
  await context.grantPermissions(['geolocation']);
  await stand(context, at(200));
  await expect(page.getByText('Location is off')).toBeHidden();
});

test('a position that is coarse says how coarse', async ({ page, context, courier }) => {
  await ride(page, await courier());
  await stand(context, at(210), 900);
  await expect(page.getByText('Your position is rough')).toBeVisible();
  await expect(page.getByText('Now within 900 m.')).toBeVisible();
  await wantAccessible(page);
  await stand(context, at(220), 8);
  await expect(page.getByText('Your position is rough')).toBeHidden();
});

test('a session that dispatch ended, and one that went to another phone', async ({ page, courier, staff }) => {
  const ada = await courier();
  await signIn(page, ada);
  await (await staff()).post(`/couriers/${ada.id}/revoke`);
  await expect(title(page)).toHaveText('You were signed out');
  await wantAccessible(page);
  await button(page, 'Sign in again').click();
  await page.getByRole('textbox').fill(await ada.code());
  await button(page, 'Sign in').click();
  await expect(title(page)).toHaveText('You are off duty');
  await expect(page.getByText('Connected')).toBeVisible();
  await ada.token();
  await expect(title(page)).toHaveText('Signed in elsewhere');
});

test('a server that is away when the page first opens', async ({ page, courier, line }) => {
  const ada = await courier();
  await page.goto('/courier');
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  line.cut();
  await page.goto(`/courier#code=${await ada.code()}`);
  await expect(page.getByRole('alert')).toHaveText(/The server cannot be reached/);
  await wantAccessible(page);
  line.mend();
  await button(page, 'Sign in').click();
  await expect(title(page)).toHaveText('Before you ride');
});

test('an app in the background says where the courier is, and its page tells how', async ({ page, courier, staff }) => {
  const ada = await courier();
  await ride(page, ada);
  await button(page, 'Menu').click();
  await button(page, 'Located with the screen off').click();
  await expect(page.getByRole('heading', { name: 'OwnTracks' })).toBeVisible();
  await wantAccessible(page);
  const address = await page.getByRole('textbox', { name: 'Server address' }).inputValue();
  const key = await page.getByRole('textbox', { name: 'Your key' }).inputValue();
  const there = at(700);
  const sent = await page.request.post(address, {
    headers: { Authorization: `Basic ${Buffer.from(`ada:${key}`).toString('base64')}` },
    data: { _type: 'location', tst: Math.floor(Date.now() / 1000) + 1, lat: there.lat, lon: there.lng, acc: 8, vel: 18 },
  });
  expect(await sent.json()).toEqual([]);
  const admin = await staff();
  await expect
    .poll(async () => (await admin.get<{ fix?: { lng: number } }>(`/couriers/${ada.id}`)).fix?.lng)
    .toBeCloseTo(there.lng, 5);
});
