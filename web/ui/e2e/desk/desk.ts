import { expect, type Locator, type Page } from '@playwright/test';
import type { Client } from '../kit/people';

// openDesk opens the desk of a member of staff, once its picture is there.
export async function openDesk(page: Page, { token }: Client): Promise<void> {
  await page.goto(`/admin#token=${token}`);
  await expect(page.getByRole('tab', { name: 'Unassigned' })).toHaveText(/^\d+/);
}

export function rows(page: Page): Locator {
  return page.locator('#queue-rows').getByRole('option');
}

export function rowOf(page: Page, text: string | RegExp): Locator {
  return rows(page).filter({ hasText: text });
}

export async function lane(page: Page, name: 'Unassigned' | 'At risk' | 'Active' | 'Done' | 'Couriers'): Promise<void> {
  await page.getByRole('tab', { name }).click();
}

export function drawer(page: Page): Locator {
  return page.getByRole('complementary', { name: 'Details' });
}

export function notices(page: Page): Locator {
  return page.getByRole('region', { name: 'What became of it' });
}

// decide goes through the dialog of an action on the order in the drawer.
export async function decide(page: Page, action: string, { courier, reason = 'Courier is closer' }: { courier?: string; reason?: string } = {}): Promise<void> {
  await drawer(page).getByRole('button', { name: action, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('button', { name: action, exact: true })).toBeDisabled();
  if (courier) await dialog.getByRole('option', { name: courier }).click();
  await dialog.getByLabel('Reason').fill(reason);
  await dialog.getByRole('button', { name: action, exact: true }).click();
  await expect(dialog).toBeHidden();
}
