import type { Order } from '../../src/protocol/types';
import { at, expect, test, wantAccessible } from '../kit/test';
import { button, duty, events, hold, photo, ride, signIn, stand, title, told } from './ride';

const whole = ['at_pickup', 'picked_up', 'at_dropoff', 'delivered'];

test.describe('in the middle of a route', () => {
  test.use({ flags: ['--mode', 'assign'] });

  test('the line is cut: everything is done offline, nothing is lost and nothing doubled', async ({ page, context, courier, order, line, staff }) => {
    await ride(page, await courier());
    const soup = await order({ photo_required: true });
    await expect(title(page)).toHaveText('Market 1');
    line.cut();
    await expect(page.getByText('The server does not answer')).toBeVisible();
    await button(page, 'I have arrived').click();
    await hold(button(page, 'Picked up'));
    await expect(title(page)).toHaveText('Elm Row 9');
    await stand(context, at(990));
    await button(page, 'I have arrived').click();
    await expect(page.getByText('3 updates waiting').first()).toBeVisible();
    await expect(page.getByText('not sent yet')).toBeVisible();
    await wantAccessible(page);
    await button(page, 'Delivered…').click();
    await page.locator('input[type=file]').setInputFiles(photo);
    await expect(page.getByAltText('The photo you took')).toBeVisible();
    await button(page, /^Delivered$/).click();
    await expect(page.getByText('4 updates waiting').first()).toBeVisible();
    const admin = await staff();
    expect(await told(admin, soup)).toEqual([]);

    line.mend();
    await expect(page.getByText('Connected')).toBeVisible();
    await expect.poll(() => told(admin, soup), { timeout: 20_000 }).toEqual(whole);
    await expect(page.getByText(/updates? waiting/)).toHaveCount(0);
    // When it was done, not when it was told.
    const [arrival, , , delivery] = (await events(admin, soup)).filter(({ type }) => whole.includes(type));
    expect(Date.parse(arrival!.data!.at!)).toBeLessThan(Date.parse(arrival!.time));
    expect(Date.parse(arrival!.data!.at!)).toBeLessThan(Date.parse(delivery!.data!.at!));
    expect((await admin.get<Order>(`/orders/${soup.id}`)).proof?.photo).toBeTruthy();
  });

  test('a drop-off that fails offline is followed by the way back at once, which can be ridden offline', async ({ page, courier, order, line, staff }) => {
    await ride(page, await courier());
    const soup = await order();
    await expect(title(page)).toHaveText('Market 1');
    await button(page, 'I have arrived').click();
    await hold(button(page, 'Picked up'));
    await expect(title(page)).toHaveText('Elm Row 9');
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    line.cut();
    await expect(page.getByText('The server does not answer')).toBeVisible();
    await button(page, 'Problem').click();
    await page.getByLabel('Nobody answers').check();
    await hold(button(page, 'Report'));
    await expect(title(page)).toHaveText('Market 1');
    await expect(page.getByText(/^Bring back/)).toBeVisible();
    await expect(page.getByText('not sent yet')).toBeVisible();
    await wantAccessible(page);
    await page.reload(); // the phone keeps where it came from
    await expect(page.getByText(/^Bring back/)).toBeVisible();
    await button(page, 'I have arrived').click();
    const admin = await staff();
    expect(await told(admin, soup)).toEqual(['at_pickup', 'picked_up']);
    line.mend();
    await expect.poll(() => told(admin, soup), { timeout: 20_000 }).toEqual(['at_pickup', 'picked_up', 'failed']);
    await expect(page.getByText('not sent yet')).toBeHidden();
    await hold(button(page, 'Brought back'));
    await expect.poll(() => told(admin, soup)).toEqual(['at_pickup', 'picked_up', 'failed', 'returned']);
    await expect(title(page)).toHaveText('Waiting for the next order');
  });

  test('the phone has no network and its page is closed and opened: all of it is still there', async ({ page, context, courier, order, staff, faults }) => {
    faults.allowAway();
    await ride(page, await courier());
    const soup = await order();
    await expect(title(page)).toHaveText('Market 1');
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await context.setOffline(true);
    await expect(page.getByText('Your phone has no network')).toBeVisible();
    await button(page, 'I have arrived').click();
    await hold(button(page, 'Picked up'));
    await expect(title(page)).toHaveText('Elm Row 9');
    await page.reload();
    await expect(title(page)).toHaveText('Elm Row 9');
    await expect(page.getByText('2 updates waiting').first()).toBeVisible();
    await button(page, 'I have arrived').click();
    await hold(button(page, 'Delivered'));
    await page.close();

    const again = await context.newPage();
    await again.goto('/courier');
    await expect(again.getByText('4 updates waiting').first()).toBeVisible();
    await context.setOffline(false);
    const admin = await staff();
    await expect.poll(() => told(admin, soup), { timeout: 20_000 }).toEqual(whole);
    await expect(title(again)).toHaveText('Waiting for the next order');
  });

  test('the server is killed and comes back: what had no answer is sent again and done once', async ({ page, courier, order, server, staff, faults }) => {
    faults.allowAway();
    await ride(page, await courier());
    const soup = await order();
    await expect(title(page)).toHaveText('Market 1');
    await button(page, 'I have arrived').click();
    const admin = await staff();
    await expect.poll(() => told(admin, soup)).toEqual(['at_pickup']);
    await server.stop();
    await expect(page.getByText('The server does not answer')).toBeVisible();
    await hold(button(page, 'Picked up'));
    await button(page, 'I have arrived').click();
    await server.start();
    await expect.poll(() => told(admin, soup), { timeout: 20_000 }).toEqual(['at_pickup', 'picked_up', 'at_dropoff']);
    await hold(button(page, 'Delivered'));
    await expect.poll(() => told(admin, soup)).toEqual(whole);
  });

  test('answers are lost: the same is sent again and counts once', async ({ page, courier, order, line, staff }) => {
    await ride(page, await courier());
    const soup = await order();
    await expect(title(page)).toHaveText('Market 1');
    line.freeze('answers');
    await button(page, 'I have arrived').click();
    await hold(button(page, 'Picked up'));
    const admin = await staff();
    await expect.poll(() => told(admin, soup)).toEqual(['at_pickup', 'picked_up']);
    await expect(page.getByText('2 updates waiting').first()).toBeVisible();
    line.cut();
    line.mend();
    await expect(page.getByText(/updates? waiting/)).toHaveCount(0, { timeout: 20_000 });
    expect(await told(admin, soup)).toEqual(['at_pickup', 'picked_up']);
    await expect(title(page)).toHaveText('Elm Row 9');
  });

  test('a session that ended keeps what waits, and sends it after the next sign-in', async ({ page, courier, order, line, staff }) => {
    const ada = await courier();
    await ride(page, ada);
    const soup = await order();
    await expect(title(page)).toHaveText('Market 1');
    line.cut();
    await button(page, 'I have arrived').click();
    await hold(button(page, 'Picked up'));
    const admin = await staff();
    await admin.post(`/couriers/${ada.id}/revoke`);
    line.mend();
    await expect(title(page)).toHaveText('Sign in again', { timeout: 20_000 });
    await expect(page.getByText('2 updates are kept on this phone and go out when you sign in again.')).toBeVisible();
    await wantAccessible(page);
    await button(page, 'Sign in again').click();
    await page.getByRole('textbox').fill(await ada.code());
    await button(page, 'Sign in').click();
    await expect.poll(() => told(admin, soup)).toEqual(['at_pickup', 'picked_up']);
  });
});

test('the app is installable, and opens offline with what it knew', async ({ page, context, courier, faults }) => {
  faults.allowAway();
  await signIn(page, await courier());
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const cdp = await context.newCDPSession(page);
  const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
  expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([]);
  const { icons } = (await (await page.request.get('/courier.webmanifest')).json()) as { icons: { src: string; purpose: string; sizes: string }[] };
  expect(icons.filter(({ purpose }) => purpose === 'maskable').map(({ sizes }) => sizes)).toEqual(['192x192', '512x512']);
  for (const { src } of icons) expect((await page.request.get(src)).ok(), src).toBe(true);

  await context.setOffline(true);
  await page.reload();
  await expect(title(page)).toHaveText('You are off duty');
  await expect(page.getByText('Carry on: what you do is kept on this phone')).toBeVisible();
  await expect(page.getByText('Ada Lovelace')).toBeVisible();
  await wantAccessible(page);
  await duty(page, 'Available');
  await expect(page.getByText('1 update waiting').first()).toBeVisible();
});

test('another courier on the same phone does not send what the first one did', async ({ page, courier, line, staff }) => {
  const [ada, bo] = [await courier(), await courier({ name: 'Bo Diddley' })];
  await signIn(page, ada);
  line.cut();
  await expect(page.getByText('The server does not answer')).toBeVisible();
  await duty(page, 'Available');
  line.mend();
  line.cut();
  const admin = await staff();
  await admin.post(`/couriers/${ada.id}/revoke`);
  line.mend();
  await expect(title(page)).toHaveText('Sign in again', { timeout: 20_000 });
  await button(page, 'Sign in again').click();
  await page.getByRole('textbox').fill(await bo.code());
  await button(page, 'Sign in').click();
  await expect(page.getByText('Bo Diddley')).toBeVisible();
  await expect(title(page)).toHaveText('You are off duty');
  expect((await admin.get<{ duty: string }>(`/couriers/${bo.id}`)).duty).toBe('off');
});

test('a new version says so, and takes over when the courier reloads', async ({ page, courier }) => {
  await signIn(page, await courier());
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  // To the browser, a worker from another address is a newer one for the page.
  await page.evaluate(() => navigator.serviceWorker.register('/courier-sw.js?next', { scope: '/courier' }));
  await expect(page.getByText('There is a new version.')).toBeVisible();
  await wantAccessible(page);
  expect(await page.evaluate(() => navigator.serviceWorker.controller?.scriptURL)).not.toContain('next');
  const reloaded = page.waitForEvent('load');
  await button(page, 'Reload').click();
  await reloaded;
  await expect(title(page)).toHaveText('You are off duty');
  expect(await page.evaluate(() => navigator.serviceWorker.controller?.scriptURL)).toContain('next');
});
