import { at, expect, test, wantAccessible } from '../kit/test';
import { decide, drawer, notices, openDesk, rowOf } from './desk';

// A refusal is an answer, which browsers call an error.
test.beforeEach(({ faults }) => faults.allow(/409/));

test('two dispatchers decide on one order: the second is told who did what', async ({ page, staff, order, courier, courierPhone }) => {
  const soup = await order();
  const kim = await staff('dispatcher', 'Kim');
  await openDesk(page, await staff('dispatcher', 'Robin'));
  await rowOf(page, 'A-17').click();
  const ada = await courier({ name: 'Ada Lovelace' });
  const bo = await courier({ name: 'Bo Chen' });
  // Out of the matcher's reach, so that nothing but people decides.
  await courierPhone(ada, at(60_000));
  await courierPhone(bo, at(60_100));
  await expect(page.getByRole('tab', { name: 'Couriers' })).toHaveText(/^2/);

  await drawer(page).getByRole('button', { name: 'Assign', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('option', { name: 'Ada Lovelace' }).click();
  await dialog.getByLabel('Reason').fill('Ada is free');
  const { version } = await kim.get<{ version: number }>(`/orders/${soup.id}`);
  await kim.post(`/orders/${soup.id}/assign`, { courier: bo.id, reason: 'Bo knows the way', version });
  await expect(dialog.getByRole('alert')).toContainText('It is now: Assigned');
  await dialog.getByRole('button', { name: 'Assign', exact: true }).click();

  const bad = notices(page).getByRole('alert');
  await expect(bad).toContainText('A-17 was not assigned to Ada Lovelace');
  await expect(bad).toContainText(/Assigned · Bo Chen · “Bo knows the way”, by dispatcher Kim/);
  await expect(drawer(page)).toContainText('Bo Chen');
  await wantAccessible(page);

  await bad.getByRole('button', { name: 'Do it anyway…' }).click();
  await expect(dialog.getByLabel('Reason')).toHaveValue('Ada is free');
  await dialog.getByRole('button', { name: 'Reassign', exact: true }).click();
  await expect(notices(page)).toContainText('A-17 goes to Ada Lovelace now');
  await expect(async () => expect((await kim.get<{ courier: string }>(`/orders/${soup.id}`)).courier).toBe(ada.id)).toPass();
});

test('a refusal says why, and what was shown is taken back', async ({ page, staff, order, courier, courierPhone }) => {
  await order({ size: 2 });
  await openDesk(page, await staff('dispatcher', 'Robin'));
  await courierPhone(await courier({ name: 'Ada Lovelace', capacity: 1 }));
  await rowOf(page, 'A-17').click();
  await expect(page.getByRole('tab', { name: 'Couriers' })).toHaveText(/^1/);
  await decide(page, 'Assign', { courier: 'Ada Lovelace' });
  await expect(notices(page).getByRole('alert')).toContainText('no room for 2 more units');
  await expect(drawer(page)).toContainText('Searching');
});

test('a duty shows at once and can be taken back; another one that was set meanwhile is not overwritten', async ({ page, staff, courier, courierPhone, line }) => {
  const ada = await courier({ name: 'Ada Lovelace' });
  const phone = await courierPhone(ada);
  await openDesk(page, await staff('dispatcher', 'Robin'));
  await page.getByRole('tab', { name: 'Couriers' }).click();
  await rowOf(page, 'Ada').click();
  const duty = drawer(page).getByRole('group', { name: 'Duty' });
  await duty.getByRole('button', { name: 'Break' }).click();
  await expect(duty.getByRole('button', { name: 'Break' })).toHaveAttribute('aria-pressed', 'true');
  await notices(page).getByRole('button', { name: 'Undo' }).click();
  await expect(duty.getByRole('button', { name: 'Available' })).toHaveAttribute('aria-pressed', 'true');

  // The courier goes off duty while the page hears nothing of it.
  line.freeze();
  await phone.duty('off');
  await duty.getByRole('button', { name: 'Break' }).click();
  line.mend();
  await expect(notices(page).getByRole('alert')).toContainText('It was changed meanwhile, to: Off duty');
  await expect(duty.getByRole('button', { name: 'Off duty' })).toHaveAttribute('aria-pressed', 'true');
});
