import type { Page } from '@playwright/test';
import type { Zone } from '../../src/protocol/types';
import { expect, test, wantAccessible } from '../kit/test';
import { canvas, mapIsUp } from './map';

const border = { type: 'Polygon', coordinates: [[[5.1, 52.08], [5.14, 52.08], [5.14, 52.1], [5.1, 52.1], [5.1, 52.08]]] };

const panel = (page: Page) => page.getByRole('region', { name: 'Zones' });

async function open(page: Page, token: string): Promise<void> {
  await page.goto(`/admin#token=${token}`);
  await mapIsUp(page);
  await page.getByRole('button', { name: 'Zones' }).click();
  await expect(panel(page)).toBeVisible();
}

test('a zone is drawn with the mouse, saved, changed, deleted and brought back', async ({ page, staff }) => {
  const robin = await staff('dispatcher');
  const zones = async () => (await robin.get<{ zones: Zone[] }>('/zones')).zones;
  await open(page, robin.token);
  await expect(panel(page).getByText('No zones yet: orders are taken everywhere.')).toBeVisible();
  await panel(page).getByRole('button', { name: 'New zone' }).click();
  await expect(panel(page).getByText('Click corner after corner')).toBeVisible();
  const box = (await canvas(page).boundingBox())!;
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  for (const [x, y] of [[-120, -100], [120, -100], [120, 100], [-120, 100]] as const) {
    await page.mouse.click(middle.x + x, middle.y + y);
  }
  await expect(panel(page).getByText('4 corners')).toBeVisible();
  await page.getByRole('button', { name: 'Corner 1 of 4' }).click();
  await panel(page).getByLabel('Name').fill('Old town');
  await wantAccessible(page);
  await panel(page).getByRole('button', { name: 'Save zone' }).click();
  await expect(panel(page).getByRole('button', { name: 'Edit Old town' })).toBeVisible();
  await expect(page.locator('.zone-name')).toHaveText('Old town');
  expect((await zones())[0]).toMatchObject({ name: 'Old town', version: 1 });

  // A corner is dragged, an edge gets one more.
  await panel(page).getByRole('button', { name: 'Edit Old town' }).click();
  await page.mouse.move(middle.x + 120, middle.y + 100);
  await page.mouse.down();
  await page.mouse.move(middle.x + 160, middle.y + 140, { steps: 4 });
  await page.mouse.up();
  await page.getByRole('button', { name: 'Add a corner after corner 1' }).click();
  await expect(panel(page).getByText('5 corners')).toBeVisible();
  await panel(page).getByRole('button', { name: 'Save zone' }).click();
  await expect(panel(page).getByRole('button', { name: 'Edit Old town' })).toBeVisible();
  const changed = (await zones())[0]!;
  expect(changed.version).toBe(2);
  expect((changed.area.coordinates as number[][][])[0]).toHaveLength(6);

  await panel(page).getByRole('button', { name: 'Delete: Old town' }).click();
  await expect(panel(page).getByText('Old town is deleted.')).toBeVisible();
  await expect(page.locator('.zone-name')).toHaveCount(0);
  expect(await zones()).toHaveLength(0);
  await panel(page).getByRole('button', { name: 'Undo' }).click();
  await expect(panel(page).getByRole('button', { name: 'Edit Old town' })).toBeVisible();
  expect((await zones())[0]).toMatchObject({ name: 'Old town', area: changed.area });
});

test('all of it goes by keyboard', async ({ page, staff }) => {
  const robin = await staff('dispatcher');
  await page.goto(`/admin#token=${robin.token}`);
  await mapIsUp(page);
  await page.getByRole('button', { name: 'Zones' }).focus();
  await page.keyboard.press('Enter');
  await panel(page).getByRole('button', { name: 'New zone' }).focus();
  await page.keyboard.press('Enter');
  await expect(panel(page).getByLabel('Name')).toBeFocused();
  await page.keyboard.type('North');
  await panel(page).getByRole('button', { name: 'Start with a square' }).focus();
  await page.keyboard.press('Enter');
  const corner = page.getByRole('button', { name: 'Corner 1 of 4' });
  await expect(corner).toBeFocused();
  const before = (await corner.boundingBox())!;
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowLeft');
  await expect.poll(async () => Math.round((await corner.boundingBox())!.x - before.x)).toBe(-50);
  await page.keyboard.press('+');
  await expect(page.getByRole('button', { name: 'Corner 2 of 5' })).toBeFocused();
  await page.keyboard.press('Delete');
  await expect(page.getByRole('button', { name: 'Corner 1 of 4' })).toBeFocused();
  await page.keyboard.press('Control+z');
  await expect(panel(page).getByText('5 corners')).toBeVisible();
  await panel(page).getByLabel('Name').press('Enter');
  await expect(panel(page).getByRole('button', { name: 'Edit North' })).toBeVisible();
  await page.keyboard.press('Escape');
  const { zones } = await robin.get<{ zones: Zone[] }>('/zones');
  expect((zones[0]!.area.coordinates as number[][][])[0]).toHaveLength(6);
});

test('whoever saves second is told who was first and what they did', async ({ page, staff, people, faults }) => {
  faults.allow(/status of 409/);
  const robin = await staff('dispatcher');
  const sam = await people.staff('dispatcher', 'Sam');
  const zone = await robin.post<Zone>('/zones', { name: 'Centre', area: border });
  await open(page, robin.token);
  await panel(page).getByRole('button', { name: 'Edit Centre' }).click();
  await panel(page).getByLabel('Name').fill('Old town');
  await sam.call('PUT', `/zones/${zone.id}`, { name: 'Harbour', area: border, version: 1 });
  await panel(page).getByRole('button', { name: 'Save zone' }).click();
  const alert = panel(page).getByRole('alert');
  await expect(alert).toContainText('Somebody has changed this zone meanwhile');
  await expect(alert).toContainText('By a dispatcher (Sam), just now.');
  await expect(alert).toContainText('The name was “Centre” and is now “Harbour”.');
  await wantAccessible(page);
  await alert.getByRole('button', { name: 'Keep mine' }).click();
  await panel(page).getByRole('button', { name: 'Save zone' }).click();
  await expect(panel(page).getByRole('button', { name: 'Edit Old town' })).toBeVisible();
  const { zones } = await robin.get<{ zones: Zone[] }>('/zones');
  expect(zones).toMatchObject([{ name: 'Old town', version: 3, changed_by: { id: 'Robin' } }]);
});

test('who may only look has nothing to change', async ({ page, staff }) => {
  await (await staff()).post<Zone>('/zones', { name: 'Centre', area: border });
  await open(page, (await staff('viewer')).token);
  await expect(panel(page).getByText('Centre')).toBeVisible();
  await expect(panel(page).getByRole('button', { name: /New zone|Delete|Edit/ })).toHaveCount(0);
});
