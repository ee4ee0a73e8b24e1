import { at, expect, test, wantAccessible } from '../kit/test';
import { decide, drawer, lane, notices, openDesk, rowOf } from './desk';

test('an empty company says so everywhere', async ({ page, staff }) => {
  await openDesk(page, await staff('dispatcher', 'Robin'));
  const texts = {
    Unassigned: 'No order is waiting. New ones appear here by themselves.',
    'At risk': 'Nothing is at risk of being late.',
    Active: 'No delivery is under way.',
    Done: 'Nothing ended in the last hour.',
    Couriers: 'No couriers yet.',
  } as const;
  for (const [name, text] of Object.entries(texts)) {
    await lane(page, name as keyof typeof texts);
    await expect(page.getByText(text)).toBeVisible();
  }
  await page.getByRole('button', { name: 'Alerts: 0' }).click();
  await expect(page.getByText('No alerts.')).toBeVisible();
  await wantAccessible(page);
  await page.getByRole('button', { name: 'Reports' }).click();
  await expect(page.getByText('Nothing happened on this day.')).toBeVisible();
  await wantAccessible(page);
});

test('a filter or search that nothing passes says so, and is cleared', async ({ page, staff, order }) => {
  await order();
  await order({ reference: 'B-2', requirements: { vehicles: ['van'] }, deliver_by: new Date(Date.now() + 20 * 60_000).toISOString() });
  await openDesk(page, await staff('dispatcher', 'Robin'));
  const search = page.getByRole('searchbox');
  await search.fill('elm a-17');
  await expect(rowOf(page, 'A-17')).toBeVisible();
  await expect(rowOf(page, 'B-2')).toHaveCount(0);
  await search.fill('nobody');
  await expect(page.getByText('Nothing matches the search.')).toBeVisible();
  await search.press('Escape');
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByLabel('Vehicle').selectOption('van');
  await expect(rowOf(page, 'A-17')).toHaveCount(0);
  await page.getByLabel('Due').selectOption('within 15 min');
  await expect(page.getByText('Nothing passes the filters.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Filters: 2 set' })).toBeVisible();
  await wantAccessible(page);
  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(rowOf(page, 'A-17')).toBeVisible();
});

test('offline the page says as of when it is, and pretends nothing', async ({ page, staff, order, courier, courierPhone, line }) => {
  const soup = await order();
  const robin = await staff('dispatcher', 'Robin');
  await openDesk(page, robin);
  await courierPhone(await courier({ name: 'Ada Lovelace' }), at(60_000));
  await rowOf(page, 'A-17').click();
  await expect(page.getByRole('tab', { name: 'Couriers' })).toHaveText(/^1/);
  line.cut();
  await expect(page.getByText('No connection').first()).toBeVisible();
  await expect(page.getByText(/You see how things stood at \d\d:\d\d/)).toBeVisible();
  await decide(page, 'Assign', { courier: 'Ada Lovelace' });
  await expect(notices(page).getByRole('alert')).toContainText('A-17 was not assigned to Ada Lovelace');
  await expect(drawer(page)).toContainText('Searching');
  await wantAccessible(page);

  await order({ reference: 'B-2' });
  line.mend();
  await expect(rowOf(page, 'B-2')).toBeVisible({ timeout: 35_000 });
  await expect(page.getByText(/You see how things stood/)).toBeHidden();
  await notices(page).getByRole('button', { name: 'Try again…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Assign', exact: true }).click();
  await expect(async () => expect((await robin.get<{ status: string }>(`/orders/${soup.id}`)).status).toBe('assigned')).toPass();
});

test('a feed that has gone silent is said to be old', async ({ page, staff, order, line }) => {
  await order();
  await openDesk(page, await staff('dispatcher', 'Robin'));
  line.freeze();
  await expect(page.getByText(/The picture is \d+ s old/)).toBeVisible({ timeout: 25_000 });
  line.mend();
  await expect(page.getByText(/The picture is/)).toBeHidden();
});

test('a session that has ended goes on where it was', async ({ page, staff, order, faults }) => {
  faults.allow(/401/);
  await order();
  const robin = await staff('dispatcher', 'Robin');
  await openDesk(page, robin);
  await page.getByRole('searchbox').fill('a-17');
  await page.route('**/v1/orders/*/events', (route) => route.fulfill({ status: 401, json: { status: 401, code: 'unauthenticated' } }));
  await rowOf(page, 'A-17').click();
  await expect(page.getByText('Your session has ended. Sign in again and go on where you were.')).toBeVisible();
  await wantAccessible(page);
  await page.unroute('**/v1/orders/*/events');
  await page.getByLabel('Paste the token').fill(robin.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(drawer(page).getByRole('heading', { level: 2 })).toHaveText('A-17');
  await expect(page.getByRole('searchbox')).toHaveValue('a-17');
});

test('a token that is none is refused', async ({ page, faults }) => {
  faults.allow(/401|WebSocket/);
  await page.goto('/admin');
  await page.getByLabel('Paste the token').fill('nonsense');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('This token was not accepted.')).toBeVisible();
});
