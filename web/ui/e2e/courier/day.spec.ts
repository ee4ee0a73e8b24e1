import { expect, test, wantAccessible } from '../kit/test';
import { button, duty, ride, title } from './ride';

// Two minutes pass in a second.
test.use({ flags: ['--clock-rate', '120', '--stale-after', '10m', '--lost-after', '1h'] });

test('a courier’s day says how long it was on duty and on a break', async ({ page, courier, staff }) => {
  const ada = await courier();
  await ride(page, ada);
  const admin = await staff();
  const state = async () => (await admin.get<{ duty: string }>(`/couriers/${ada.id}`)).duty;
  await duty(page, 'Break');
  await expect.poll(state).toBe('break');
  await page.waitForTimeout(1_500); // three minutes there
  await duty(page, 'Available');
  await expect.poll(state).toBe('available');
  await page.waitForTimeout(1_500);
  await button(page, 'Menu').click();
  await button(page, 'Today').click();
  await expect(title(page)).toHaveText('Today');
  const figure = (name: string) => page.locator('dl > div').filter({ hasText: name }).locator('dd');
  await expect(figure('on a break')).toHaveText(/^\d+ min$/);
  await expect(figure('on duty')).toHaveText(/^\d+ min$/);
  expect(parseInt(await figure('on a break').innerText())).toBeGreaterThanOrEqual(3);
  expect(parseInt(await figure('on duty').innerText())).toBeGreaterThanOrEqual(3);
  await wantAccessible(page);
});
