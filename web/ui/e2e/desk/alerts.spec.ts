import { at, expect, test, wantAccessible } from '../kit/test';
import { drawer, openDesk } from './desk';

const alerts = 'Alerts';

test('an order that nobody brings in time is an alert, and leads to it', async ({ page, staff, order }) => {
  await order({ deliver_by: new Date(Date.now() + 5 * 60_000).toISOString() });
  await openDesk(page, await staff('dispatcher', 'Robin'));
  await expect(page.getByRole('tab', { name: 'At risk' })).toHaveText(/^1/);
  await page.getByRole('button', { name: `${alerts}: 1` }).click();
  const list = page.getByRole('region', { name: alerts });
  await expect(list).toContainText('At risk of being late');
  await wantAccessible(page);
  await list.getByRole('button', { name: 'A-17' }).click();
  await expect(drawer(page).getByRole('heading', { level: 2 })).toHaveText('A-17');
});

// Two minutes pass in a second.
test.describe('when time flies', () => {
  test.use({ flags: ['--mode', 'assign', '--clock-rate', '120'] });

  test('a courier who goes the wrong way, then falls silent with the goods', async ({ page, staff, order, courier, courierPhone }) => {
    await openDesk(page, await staff('dispatcher', 'Robin'));
    const ada = await courier({ name: 'Ada Lovelace' });
    const phone = await courierPhone(ada);
    const soup = await order();
    await expect(async () => {
      await phone.at(at(0));
      await phone.pickUp(soup);
    }).toPass();
    const list = page.getByRole('region', { name: alerts });
    await page.keyboard.press('b');
    let far = 0;
    await expect(async () => {
      await phone.at(at((far -= 600)));
      await expect(list).toContainText('Courier far behind the plan', { timeout: 150 });
    }).toPass({ intervals: [50], timeout: 30_000 });
    await expect(list).toContainText('Ada Lovelace');
    await expect(list).toContainText(/next stop planned for \d\d:\d\d/);

    await expect(list).toContainText('Courier not heard from', { timeout: 20_000 });
    await list.getByRole('button', { name: /not heard from/ }).click();
    await expect(drawer(page)).toContainText('Not heard from');
    await expect(drawer(page)).toContainText('Last heard of');
  });

  test('an order that nobody can be found for can be searched for again', async ({ page, staff, order }) => {
    await order();
    await openDesk(page, await staff('dispatcher', 'Robin'));
    const list = page.getByRole('region', { name: alerts });
    await page.keyboard.press('b');
    await expect(list).toContainText('No courier found', { timeout: 40_000 });
    await list.getByRole('button', { name: 'A-17' }).click();
    await drawer(page).getByRole('button', { name: 'Search again' }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill('Someone is back');
    await page.getByRole('dialog').getByRole('button', { name: 'Search again' }).click();
    await expect(drawer(page)).toContainText('Searching');
  });
});
