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

test('pickup and drop-off are set by a click on the map, moved by hand and set by keyboard', async ({ page, staff, order }) => {
  await order();
  const robin = await staff('dispatcher', 'Robin');
  await openDesk(page, robin);
  await page.getByRole('button', { name: 'New order' }).click();
  const dialog = page.getByRole('dialog');
  const [from, to] = [dialog.getByRole('group', { name: 'Pickup' }), dialog.getByRole('group', { name: 'Drop-off' })];
  const value = (group: typeof from) => group.getByLabel('Point', { exact: true }).inputValue();

  await from.getByLabel('Address').fill('Market 1'); // 52.0907, 5.1214
  await to.getByRole('button', { name: 'On the map' }).click();
  const map = to.getByRole('region', { name: 'Drop-off on the map' });
  await expect(map).toBeVisible({ timeout: 20_000 });
  await expect(to.locator('.spot.pickup'), 'the other place is there too').toBeVisible();
  const box = (await map.boundingBox())!;
  await page.mouse.click(box.x + box.width / 2 + 60, box.y + box.height / 2);
  await expect(to.locator('.spot.dropoff')).toBeVisible();
  const clicked = await value(to);
  const [lat, lng] = clicked.split(', ').map(Number);
  // East of the middle, at its height.
  expect(Math.abs(lat! - 52.0907)).toBeLessThan(0.05);
  expect(lng).toBeGreaterThan(5.1);
  await wantAccessible(page);

  const mark = (await to.locator('.spot.dropoff').boundingBox())!;
  await page.mouse.move(mark.x + mark.width / 2, mark.y + mark.height / 2);
  await page.mouse.down();
  await page.mouse.move(mark.x + mark.width / 2 - 40, mark.y + mark.height / 2, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => Number((await value(to)).split(', ')[1])).toBeLessThan(lng!);

  await map.focus();
  await page.keyboard.press('Enter');
  const middle = await value(to);
  expect(middle).not.toBe(clicked);
  await page.keyboard.press('ArrowUp');
  await expect
    .poll(async () => {
      await page.keyboard.press('Enter');
      return Number((await value(to)).split(', ')[0]);
    })
    .toBeGreaterThan(Number(middle.split(', ')[0]));

  const there = (await value(to)).split(', ').map(Number);
  await dialog.getByRole('button', { name: 'Place the order' }).click();
  await expect(notices(page)).toContainText('is placed');
  const { orders } = await robin.get<{ orders: { dropoff: { point: { lat: number; lng: number } } }[] }>('/orders?limit=10');
  expect(orders.map(({ dropoff }) => [dropoff.point.lat, dropoff.point.lng])).toContainEqual(there);
});

test('where a courier’s shifts start is typed or set on the map, and taken away again', async ({ page, staff }) => {
  const robin = await staff('dispatcher', 'Robin');
  await openDesk(page, robin);
  await lane(page, 'Couriers');
  await page.getByRole('button', { name: 'New courier' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Mia Berg');
  await dialog.getByRole('textbox', { name: 'Shifts start at' }).fill('52.1');
  await expect(dialog).toContainText('Give the point as latitude and longitude');
  await dialog.getByRole('button', { name: 'Enrol' }).click();
  await expect(dialog).toBeVisible();
  await dialog.getByRole('textbox', { name: 'Shifts start at' }).fill('52.1, 5.13');
  await dialog.getByRole('button', { name: 'Enrol' }).click();
  await expect(notices(page)).toContainText('Mia Berg is enrolled');
  const start = async () => (await robin.get<{ couriers: { start?: { lat: number; lng: number } }[] }>('/couriers')).couriers[0]!.start;
  expect(await start()).toEqual({ lat: 52.1, lng: 5.13 });

  await drawer(page).getByRole('button', { name: 'Edit' }).click();
  await expect(dialog.getByRole('textbox', { name: 'Shifts start at' })).toHaveValue('52.100000, 5.130000');
  await dialog.getByRole('button', { name: 'On the map' }).click();
  const map = dialog.getByRole('region', { name: 'Shifts start at on the map' });
  await expect(map).toBeVisible({ timeout: 20_000 });
  const box = (await map.boundingBox())!;
  await page.mouse.click(box.x + 40, box.y + box.height / 2);
  await expect(dialog.getByRole('textbox', { name: 'Shifts start at' })).not.toHaveValue('52.100000, 5.130000');
  await wantAccessible(page);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(notices(page)).toContainText('Mia Berg: saved');
  expect((await start())!.lng).toBeLessThan(5.13);

  await drawer(page).getByRole('button', { name: 'Edit' }).click();
  await dialog.getByRole('textbox', { name: 'Shifts start at' }).fill('');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect.poll(start).toBeUndefined();
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
  await robin.call('PATCH', `/couriers/${mia!.id}`, { version: current.version, phone: '+1 555 0123' });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(drawer(page)).toContainText('0 / 5');
  await expect(drawer(page)).toContainText('+1 555 0123');

  await drawer(page).getByRole('button', { name: 'Edit' }).click();
  await dialog.getByLabel('Capacity').fill('6');
  const now = await robin.get<{ version: number }>(`/couriers/${mia!.id}`);
  await robin.call('PATCH', `/couriers/${mia!.id}`, { version: now.version, capacity: 9 });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByRole('alert')).toContainText('capacity (9)');
  await dialog.getByRole('button', { name: 'Put mine instead' }).click();
  await expect(drawer(page)).toContainText('0 / 6');
});
