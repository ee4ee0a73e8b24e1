import { at, expect, test, wantLooks } from '../kit/test';
import { drawer, openDesk, rowOf } from './desk';

test.use({ clock: '2026-11-23T18:02:00Z', flags: ['--mode', 'assign'] });

// A Friday's evening in small: some wait, one is late, one is on its way.
test('the desk and its reports', async ({ page, staff, order, courier, courierPhone, isMobile }) => {
  const robin = await staff('dispatcher', 'Robin');
  const minutes = (n: number) => new Date(Date.parse('2026-11-23T18:02:00Z') + n * 60_000).toISOString();
  const ada = await courierPhone(await courier({ name: 'Ada Lovelace', phone: '+1 555 0111' }));
  const done = await order({ reference: 'A-16', deliver_by: minutes(30), pin_required: false });
  await ada.assigned(done);
  await ada.pickUp(done);
  await ada.at(at(1000));
  await ada.deliver(done);
  const soup = await order({ deliver_by: minutes(40), items: '2 soups', dropoff: { point: at(1000), address: 'Elm Row 9', contact: { name: 'Ann', phone: '+1 555 0100' } } });
  await ada.assigned(soup);
  await order({ reference: 'A-18', deliver_by: minutes(9), requirements: { vehicles: ['van'] } });
  await order({ reference: 'A-19', deliver_by: minutes(55), requirements: { vehicles: ['van'], skills: ['cold'] } });
  await order({ reference: 'A-20', pickup: { point: at(-400), address: 'A street with a name that goes on for longer than there is room for it, 127' }, requirements: { vehicles: ['car'] } });
  await openDesk(page, robin);
  await page.keyboard.press('3');
  await rowOf(page, 'A-17').click();
  await expect(drawer(page)).toContainText('Assigned');
  await expect(drawer(page)).toContainText('the only candidate');
  if (isMobile) {
    await wantLooks(page, 'desk-drawer', { fullPage: false, mask: [page.locator('dd', { hasText: /^#/ })] });
    await page.getByRole('button', { name: 'Queue' }).click();
  }
  await page.keyboard.press('1');
  await expect(rowOf(page, 'A-18')).toContainText('due in 9');
  await wantLooks(page, 'desk', { fullPage: false, mask: [page.locator('dd', { hasText: /^#/ })] });
  await page.getByRole('button', { name: 'Reports' }).click();
  await expect(page.getByRole('img', { name: /Orders by hour/ })).toBeVisible();
  await wantLooks(page, 'desk-reports', { fullPage: false });
});
