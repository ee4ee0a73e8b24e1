import { at, expect, test, wantAccessible } from '../kit/test';
import { decide, drawer, lane, notices, openDesk, rowOf } from './desk';

test('a dispatcher gives an order to a courier, takes it back, gives it to another and sees it through', async ({ page, staff, order, courier, courierPhone }) => {
  const robin = await staff('dispatcher', 'Robin');
  const due = new Date(Date.now() + 40 * 60_000).toISOString();
  const soup = await order({ deliver_by: due, items: '2 soups', dropoff: { point: at(1000), address: 'Elm Row 9', contact: { name: 'Ann', phone: '+1 555 0100' } } });
  await openDesk(page, robin);
  await expect(rowOf(page, 'A-17')).toContainText(/due in (39|40):\d\d/);
  await expect(rowOf(page, 'A-17')).toContainText('Market 1 → Elm Row 9');
  await rowOf(page, 'A-17').click();
  await expect(drawer(page).getByRole('heading', { level: 2 })).toHaveText('A-17');
  await expect(drawer(page).getByRole('link', { name: 'Call: Ann' })).toHaveAttribute('href', 'tel:+15550100');

  // Beyond the matcher's reach: what happens, people decide.
  const ada = await courierPhone(await courier({ name: 'Ada Lovelace', phone: '+1 555 0111' }), at(60_000));
  const bo = await courierPhone(await courier({ name: 'Bo Chen' }), at(60_100));
  await expect(page.getByRole('tab', { name: 'Couriers' })).toHaveText(/^2/);
  await decide(page, 'Assign', { courier: 'Bo Chen' });
  await expect(notices(page)).toContainText('A-17 goes to Bo Chen');
  await bo.assigned(soup);
  await expect(drawer(page)).toContainText('Assigned');
  await expect(drawer(page)).toContainText('Bo Chen · “Courier is closer” · dispatcher Robin');

  await notices(page).getByRole('button', { name: 'Undo' }).click();
  await expect(notices(page)).toContainText('A-17: taken back');
  await expect(drawer(page)).toContainText('Unassigned');

  await decide(page, 'Assign', { courier: 'Ada Lovelace', reason: 'Ada knows the door' });
  await ada.assigned(soup);
  await lane(page, 'Active');
  await expect(rowOf(page, 'A-17')).toContainText('Ada Lovelace');
  await expect(drawer(page).getByRole('link', { name: 'Call: Ada Lovelace' })).toBeVisible();
  await wantAccessible(page);

  await ada.pickUp(soup);
  await expect(drawer(page)).toContainText('Picked up');
  await expect(drawer(page).getByRole('button', { name: 'Reassign' })).toBeHidden();
  await ada.deliver(soup);
  await lane(page, 'Done');
  await expect(rowOf(page, 'A-17')).toContainText('Delivered');
});

test('what has no way back waits, and can be taken back until it is sent', async ({ page, staff, order }) => {
  const soup = await order();
  const robin = await staff('dispatcher', 'Robin');
  await openDesk(page, robin);
  await rowOf(page, 'A-17').click();
  await decide(page, 'Cancel order', { reason: 'Customer asked' });
  await expect(drawer(page)).toContainText('Cancelled');
  await expect(page.getByRole('tab', { name: 'Unassigned' })).toHaveText(/^0/);
  await notices(page).getByRole('button', { name: 'Undo' }).click();
  await expect(rowOf(page, 'A-17')).toContainText('Searching');

  await decide(page, 'Cancel order', { reason: 'Customer asked' });
  await expect(async () => expect((await robin.get<{ status: string }>(`/orders/${soup.id}`)).status).toBe('cancelled')).toPass();
  await expect(drawer(page)).toContainText('“Customer asked” · dispatcher Robin');
  await lane(page, 'Done');
  await expect(rowOf(page, 'A-17')).toContainText('Cancelled');
});

test('a cancellation that still waits is sent when the page is closed', async ({ page, staff, order }) => {
  const soup = await order();
  const robin = await staff('dispatcher', 'Robin');
  await openDesk(page, robin);
  await rowOf(page, 'A-17').click();
  await decide(page, 'Cancel order', { reason: 'Customer asked' });
  await page.goto('about:blank');
  await expect(async () => expect((await robin.get<{ status: string }>(`/orders/${soup.id}`)).status).toBe('cancelled')).toPass();
});

test('a pinned order says for whom it is kept', async ({ page, staff, order, courier, courierPhone }) => {
  await order();
  await openDesk(page, await staff('dispatcher', 'Robin'));
  await rowOf(page, 'A-17').click();
  // Too far for the matcher to find by itself.
  await courierPhone(await courier({ name: 'Ada Lovelace' }), at(60_000));
  await expect(page.getByRole('tab', { name: 'Couriers' })).toHaveText(/^1/);
  await decide(page, 'Pin', { courier: 'Ada Lovelace' });
  await expect(rowOf(page, 'A-17')).toContainText('pinned to Ada Lovelace');
  await decide(page, 'Unpin', { reason: 'Mistake' });
  await expect(rowOf(page, 'A-17')).not.toContainText('pinned');
  await expect(drawer(page)).toContainText('Unpinned');
});

test('a viewer looks and decides nothing', async ({ page, staff, order }) => {
  await order();
  await openDesk(page, await staff('viewer', 'Vic'));
  await expect(page.getByText('View only')).toBeVisible();
  await rowOf(page, 'A-17').click();
  await expect(drawer(page)).toContainText('Timeline');
  for (const name of ['Assign', 'Cancel order', 'New order']) await expect(page.getByRole('button', { name })).toHaveCount(0);
  await page.keyboard.press('n');
  await page.keyboard.press('x');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});
