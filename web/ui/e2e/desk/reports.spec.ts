import { readFile } from 'node:fs/promises';
import { at, expect, test, wantAccessible } from '../kit/test';
import { drawer, openDesk } from './desk';

test.use({ flags: ['--mode', 'assign'] });

test('the day by hour and by courier, as a chart, a table and a file', async ({ page, staff, order, courier, courierPhone }) => {
  const ada = await courierPhone(await courier({ name: 'Ada Lovelace' }));
  const due = new Date(Date.now() + 30 * 60_000).toISOString();
  for (const reference of ['A-1', 'A-2']) {
    const soup = await order({ reference, deliver_by: due });
    await ada.assigned(soup);
    await ada.pickUp(soup);
    await ada.at(at(1000));
    await ada.deliver(soup);
    await ada.at(at(0));
  }
  const lost = await order({ reference: 'A-3' });
  await ada.assigned(lost);
  await ada.fail(lost, 'pickup', 'closed');
  const robin = await staff('dispatcher', 'Robin');
  await openDesk(page, robin);
  await page.getByRole('button', { name: 'Reports' }).click();
  const report = page.getByRole('main');
  const tile = (name: string) => report.locator('dl div').filter({ hasText: name });
  await expect(tile('placed')).toHaveText(/^3/);
  await expect(tile('delivered')).toHaveText(/^2/);
  await expect(tile('on time')).toHaveText(/^100 %/);
  await expect(tile('failed')).toHaveText(/^1/);
  await expect(report.getByRole('img', { name: /Orders by hour/ })).toBeVisible();
  await wantAccessible(page);

  const hours = report.getByRole('figure', { name: 'Orders by hour' });
  await hours.getByText('As a table').click();
  await expect(hours.getByRole('row').filter({ hasText: '3' }).first()).toBeVisible();
  const line = report.getByRole('row').filter({ hasText: 'Ada Lovelace' });
  await expect(line).toContainText('2');

  const [file] = await Promise.all([page.waitForEvent('download'), report.getByRole('button', { name: 'Couriers as CSV' }).click()]);
  const lines = (await readFile(await file.path(), 'utf8')).split('\r\n');
  expect(lines[0]).toBe('\ufeffcourier,name,vehicle,delivered,failed,promised,late,late_percent,median_delivery_seconds');
  expect(lines[1]).toMatch(/^[^,]+,Ada Lovelace,bicycle,2,1,2,0,0\.0,\d*$/);

  await report.getByRole('button', { name: 'Day before' }).click();
  await expect(report.getByText('Nothing happened on this day.')).toBeVisible();
  await report.getByRole('button', { name: 'Day after' }).click();
  await report.getByRole('button', { name: 'Ada Lovelace' }).click();
  await expect(drawer(page)).toContainText('Day so far');
  await expect(drawer(page).locator('dl div').filter({ hasText: 'delivered' })).toHaveText(/^2/);
});
