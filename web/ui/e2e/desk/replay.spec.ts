import type { Page } from '@playwright/test';
import { at, expect, test, wantAccessible } from '../kit/test';
import { findOnMap, mapIsUp, picture } from './map';

// A minute passes in a second, so that what happens within seconds is minutes
// apart; and it is about noon, whatever the time is where the test runs.
const rate = 60;
const started = Date.now();
const origin = (new Date(started).setUTCHours(12, 0, 0, 0) - started * rate) / (1 - rate);
test.use({ flags: ['--mode', 'assign', '--clock-rate', String(rate), '--clock-origin', new Date(origin).toISOString()] });

const bar = (page: Page) => page.getByRole('region', { name: 'Replay of a day' });

async function counts(page: Page): Promise<number[]> {
  const text = await bar(page).locator('.counts').innerText();
  return ['waiting', 'under way', 'delivered'].map((lot) => Number(new RegExp(`(\\d+)\\s+${lot}`).exec(text)?.[1]));
}

test('a day is scrubbed back and played: orders and couriers as they were', async ({ page, staff, order, courierPhone }) => {
  const soup = await order();
  await page.waitForTimeout(3_000); // the order waits for minutes
  const ada = await courierPhone();
  await ada.assigned(soup);
  await ada.pickUp(soup);
  for (let i = 0; i < 10; i++) {
    await ada.at(at(100 * i));
    await page.waitForTimeout(200);
  }
  await ada.deliver(soup);
  const done = ada.now();

  await page.goto(`/admin#token=${(await staff('dispatcher')).token}`);
  await mapIsUp(page);
  await page.getByRole('button', { name: 'Replay' }).click();
  await expect(bar(page).getByText('The map shows the past')).toBeVisible();
  await expect(bar(page).getByRole('status')).toHaveText('');
  const slider = bar(page).getByRole('slider', { name: 'Time of day' });
  const midnight = new Date(done).setUTCHours(0, 0, 0, 0);
  const seek = (seconds: number) => slider.fill(String(Math.round(seconds / 10) * 10));
  const delivered = (done - midnight) / 1000;

  await seek(delivered + 20);
  await expect.poll(() => counts(page)).toEqual([0, 0, 1]);
  await seek(delivered - 60);
  await expect.poll(() => counts(page)).toEqual([0, 1, 0]);
  await seek(delivered - 270);
  await expect.poll(() => counts(page)).toEqual([1, 0, 0]);
  await seek(delivered - 1_800);
  await expect.poll(() => counts(page)).toEqual([0, 0, 0]);
  await wantAccessible(page);

  await seek(delivered - 10);
  await findOnMap(page, /^Ada Lovelace/);
  await seek(delivered - 30);
  await bar(page).getByLabel('Speed').selectOption('10×'); // the day ends soon after, and with it the playing
  await bar(page).getByRole('button', { name: 'Play' }).click();
  await expect.poll(() => counts(page), { timeout: 15_000 }).toEqual([0, 0, 1]);
  await bar(page).getByRole('button', { name: 'Pause' }).click();
  await slider.press('Home');
  await expect(slider).toHaveAttribute('aria-valuetext', '00:00:00');

  await bar(page).getByRole('button', { name: 'Back to now' }).click();
  await expect(bar(page)).toBeHidden();
});

test('who was on a break is shown so, and who had gone home not at all', async ({ page, staff, courierPhone }) => {
  const ada = await courierPhone();
  for (let i = 0; i < 3; i++) await ada.at(at(i));
  const free = ada.now();
  await page.waitForTimeout(700); // most of a minute there
  await ada.duty('break');
  const rest = ada.now();
  for (let i = 0; i < 5; i++) {
    await ada.at(at(i));
    await page.waitForTimeout(200);
  }
  await ada.duty('off');
  const home = ada.now();
  expect(free).toBeLessThan(rest);

  await page.goto(`/admin#token=${(await staff('dispatcher')).token}`);
  await mapIsUp(page);
  await page.getByRole('button', { name: 'Replay' }).click();
  const slider = bar(page).getByRole('slider', { name: 'Time of day' });
  const midnight = new Date(home).setUTCHours(0, 0, 0, 0);
  const seek = (ms: number) => slider.fill(String(Math.floor((ms - midnight) / 10_000) * 10));
  await seek(rest + 20_000);
  const there = await findOnMap(page, /^Ada Lovelace/);
  await page.mouse.move(there.x + 200, there.y + 150);
  const onBreak = await picture(page, there);
  await seek(rest - 5_000);
  await expect.poll(() => picture(page, there)).not.toBe(onBreak);
  const before = await picture(page, there);
  await seek(home + 20_000);
  await expect.poll(() => picture(page, there)).not.toBe(before);
  expect(await picture(page, there)).not.toBe(onBreak);
  await page.mouse.move(there.x, there.y);
  await expect(page.locator('.tip')).toBeHidden();
});

test('a day of which nothing is known says so', async ({ page, staff }) => {
  await page.goto(`/admin#token=${(await staff('viewer')).token}`);
  await mapIsUp(page);
  await page.getByRole('button', { name: 'Replay' }).click();
  await bar(page).getByLabel('Day', { exact: true }).fill(new Date(started - 3 * 86_400_000).toISOString().slice(0, 10));
  await expect(bar(page).getByRole('status')).toHaveText('Nothing is recorded of this day.');
});
