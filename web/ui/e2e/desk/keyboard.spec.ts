import { at, expect, test, wantAccessible } from '../kit/test';
import { drawer, notices, openDesk } from './desk';

test('all of a dispatcher’s work without a mouse', async ({ page, staff, order, courier, courierPhone }) => {
  const soup = await order();
  await order({ reference: 'B-2' });
  const robin = await staff('dispatcher', 'Robin');
  await page.goto('/admin');
  await page.keyboard.press('Tab');
  await page.keyboard.insertText(robin.token);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('tab', { name: 'Unassigned' })).toHaveText(/^2/);
  const ada = await courierPhone(await courier({ name: 'Ada Lovelace' }), at(60_000));
  await courierPhone(await courier({ name: 'Bo Chen' }), at(60_000, 50));
  await expect(page.getByRole('tab', { name: 'Couriers' })).toHaveText(/^2/);

  await page.keyboard.press('/');
  await page.keyboard.type('a-17');
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('#queue-rows')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(drawer(page).getByRole('heading', { level: 2 })).toHaveText('A-17');

  await page.keyboard.press('a');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  await expect(dialog.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('ada');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('Choose a courier: Ada Lovelace')).toBeVisible();
  await dialog.getByLabel('Reason').focus();
  await page.keyboard.type('closer');
  await page.keyboard.press('Enter');
  await ada.assigned(soup);
  await expect(notices(page)).toContainText('A-17 goes to Ada Lovelace');

  await expect(notices(page).getByRole('button', { name: 'Undo' })).toBeVisible();
  await page.keyboard.press('z');
  await expect(notices(page)).toContainText('A-17: taken back');
  await expect(drawer(page).getByRole('button', { name: 'Pin' })).toBeEnabled();
  await page.keyboard.press('p');
  await expect(dialog.getByRole('heading')).toContainText('Pin');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await page.keyboard.press('5');
  await expect(page.getByRole('tab', { name: 'Couriers' })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Escape');
  await expect(drawer(page)).toBeHidden();

  await page.keyboard.press('?');
  await expect(dialog).toContainText('Assign or reassign');
  await wantAccessible(page);
  await dialog.getByLabel('Single letters are shortcuts').press('Space');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await page.keyboard.press('g');
  await expect(page.getByRole('main')).toHaveCount(0);
  await page.keyboard.press('?');
  await dialog.getByLabel('Single letters are shortcuts').press('Space');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await page.keyboard.press('g');
  await expect(page.getByRole('heading', { name: 'Reports' })).toBeVisible();
});
