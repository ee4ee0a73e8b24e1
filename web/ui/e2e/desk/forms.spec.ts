import { expect, test, wantAccessible } from '../kit/test';
import { drawer, lane, notices, openDesk, rowOf } from './desk';

test('an order is placed by hand; an address that is known brings its point', async ({ page, staff, order, faults }) => {
  faults.allow(/422/);
  await order();
  const robin = await staff('dispatcher', 'Robin');
  await openDesk(page, robin);
  await page.getByRole('button', { name: 'New order' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Merchant')).toHaveValue('soups');
  await dialog.getByLabel('Reference').fill('H-1');
  await dialog.getByRole('group', { name: 'Pickup' }).getByLabel('Address').fill('Market 1');
  await expect(dialog.getByRole('group', { name: 'Pickup' }).getByLabel('Point')).toHaveValue('52.090700, 5.121400');
  const to = dialog.getByRole('group', { name: 'Drop-off' });
  await to.getByLabel('Address').fill('Oak Lane 3');
  await to.getByLabel('Point').fill('52.1');
  await expect(to).toContainText('Give the point as latitude and longitude');
  await to.getByLabel('Point').fill('52.1, 5.13');
  await to.getByLabel('Contact').fill('Ann');
  await dialog.getByLabel('Deliver by').fill('2001-01-01T10:00');
  await wantAccessible(page);
  await dialog.getByRole('button', { name: 'Place the order' }).click();
  await expect(dialog.getByRole('alert')).toBeVisible();
  await dialog.getByLabel('Deliver by').fill('');
  await dialog.getByRole('button', { name: 'Place the order' }).click();
  await expect(notices(page)).toContainText('H-1 is placed');
  await expect(drawer(page).getByRole('heading', { level: 2 })).toHaveText('H-1');
  await expect(rowOf(page, 'H-1')).toContainText('Market 1 → Oak Lane 3');
});

test('a courier is enrolled, let in and changed; somebody else’s change is not lost', async ({ page, staff, faults }) => {
  faults.allow(/409/);
  const robin = await staff('dispatcher', 'Robin');
  await openDesk(page, robin);
  await lane(page, 'Couriers');
  await page.getByRole('button', { name: 'New courier' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Mia Berg');
  await dialog.getByLabel('Vehicle').selectOption('scooter');
  await dialog.getByLabel('Capacity').fill('4');
  await dialog.getByLabel('Skills').fill('cold, heavy');
  await wantAccessible(page);
  await dialog.getByRole('button', { name: 'Enrol' }).click();
  await expect(notices(page)).toContainText('Mia Berg is enrolled');
  await expect(drawer(page).getByRole('heading', { level: 2 })).toHaveText('Mia Berg');
  await expect(drawer(page)).toContainText('cold, heavy');
  await drawer(page).getByRole('button', { name: 'Sign-in code' }).click();
  await expect(dialog).toContainText(/\d{4} \d{4}/);
  await page.keyboard.press('Escape');

  const [mia] = (await robin.get<{ couriers: { id: string; version: number }[] }>('/couriers')).couriers;
  await drawer(page).getByRole('button', { name: 'Edit' }).click();
  await expect(dialog.getByLabel('Name')).toHaveValue('Mia Berg');
  await dialog.getByLabel('Capacity').fill('5');
  const current = await robin.get<{ version: number }>(`/couriers/${mia!.id}`);
  const moved = await robin.call<{ version: number }>('PATCH', `/couriers/${mia!.id}`, { version: current.version, phone: '+1 555 0123' });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(drawer(page)).toContainText('0 / 5');
  await expect(drawer(page)).toContainText('+1 555 0123');

  await drawer(page).getByRole('button', { name: 'Edit' }).click();
  await dialog.getByLabel('Capacity').fill('6');
  await robin.call('PATCH', `/couriers/${mia!.id}`, { version: moved.version + 1, capacity: 9 });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByRole('alert')).toContainText('capacity (9)');
  await dialog.getByRole('button', { name: 'Put mine instead' }).click();
  await expect(drawer(page)).toContainText('0 / 6');
});
