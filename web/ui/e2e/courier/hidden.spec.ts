import type { Page } from '@playwright/test';
import { at, expect, test, wantAccessible } from '../kit/test';
import { button, duty, ride, stand, title } from './ride';

// see puts another app before the page, or takes it away.
async function see(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => now });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}

function notifications(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const worker = await navigator.serviceWorker.ready;
    return (await worker.getNotifications()).map(({ title, body }) => `${title}: ${body}`);
  });
}

test('notifications are asked for by a press on the page that checks the phone, and not before', async ({ page, context, courier }) => {
  await page.addInitScript(() => {
    Object.assign(window, { asked: 0 });
    Object.defineProperty(Notification, 'permission', { get: () => 'default' });
    Notification.requestPermission = () => {
      (window as unknown as { asked: number }).asked++;
      return Promise.resolve('denied');
    };
  });
  const asked = () => page.evaluate(() => (window as unknown as { asked: number }).asked);
  await context.grantPermissions(['geolocation']);
  await stand(context, at(200));
  await page.goto(`/courier#code=${await (await courier()).code()}`);
  await expect(title(page)).toHaveText('Before you ride');
  const item = page.getByRole('listitem').filter({ hasText: 'Notifications' });
  await expect(item).toContainText('New orders can be shown while another app');
  expect(await asked()).toBe(0);
  await button(page, 'Allow notifications').click();
  await expect(item).toContainText('Not allowed. You hear of new orders only while this page is on screen.');
  await expect(button(page, 'Allow notifications')).toBeHidden();
  expect(await asked()).toBe(1);
  await wantAccessible(page);
});

test('an offer that comes while the page is hidden is a notification, until it is gone or the page is seen', async ({ page, context, courier, order, staff }) => {
  await context.grantPermissions(['geolocation', 'notifications']);
  await ride(page, await courier());
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const soup = await order();
  await expect(button(page, 'Accept')).toBeVisible();
  expect(await notifications(page), 'who sees the page needs none').toEqual([]);
  const admin = await staff();
  await admin.post(`/orders/${soup.id}/cancel`, { reason: 'customer called' });
  await expect(button(page, 'Accept')).toBeHidden();

  await see(page, 'hidden');
  const cake = await order({ reference: 'B-2' });
  await expect.poll(() => notifications(page)).toEqual([expect.stringMatching(/^New order: Market 1 · \d+ m to pickup$/)]);
  await admin.post(`/orders/${cake.id}/cancel`, { reason: 'customer called' });
  await expect.poll(() => notifications(page)).toEqual([]);

  await order({ reference: 'C-3' });
  await expect.poll(() => notifications(page)).toHaveLength(1);
  await see(page, 'visible');
  await expect.poll(() => notifications(page)).toEqual([]);
  await expect(button(page, 'Accept')).toBeVisible();
});

test.describe('where dispatch assigns', () => {
  test.use({ flags: ['--mode', 'assign'] });

  test('what it does to the route of a hidden page is a notification', async ({ page, context, courier, order, staff }) => {
    await context.grantPermissions(['geolocation', 'notifications']);
    await ride(page, await courier());
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await see(page, 'hidden');
    const soup = await order();
    await expect.poll(() => notifications(page)).toEqual(['Courier: Added to your route: Elm Row 9']);
    await (await staff()).post(`/orders/${soup.id}/cancel`, { reason: 'customer called' });
    await expect.poll(() => notifications(page)).toContain('Courier: Cancelled by dispatch: Elm Row 9 (customer called)');
    await see(page, 'visible');
    await expect.poll(() => notifications(page)).toEqual([]);
    await duty(page, 'Off');
  });
});
