import { resolve } from 'node:path';
import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test';
import type { Order, OrderEvent, Point } from '../../src/protocol/types';
import { at, type Client, type Hired } from '../kit/people';

// Any picture will do for a photo.
export const photo = resolve(import.meta.dirname, '../../public/icon-512.png');

export async function stand(context: BrowserContext, where: Point, accuracy = 8): Promise<void> {
  await context.setGeolocation({ latitude: where.lat, longitude: where.lng, accuracy });
}

// signIn follows the dispatcher's link and goes through the first check.
export async function signIn(page: Page, who: Hired, where: Point = at(200)): Promise<void> {
  await page.context().grantPermissions(['geolocation']);
  await stand(page.context(), where);
  await page.goto(`/courier#code=${await who.code()}`);
  await page.getByRole('button', { name: 'Start' }).click();
  await expect(page.getByText('Connected')).toBeVisible();
}

export async function ride(page: Page, who: Hired, where?: Point): Promise<void> {
  await signIn(page, who, where);
  await duty(page, 'Available');
  // Nobody is offered work before it is known where they are.
  await expect.poll(async () => (await who.now()).state).toBe('free');
}

export function duty(page: Page, name: 'Available' | 'Break' | 'Off'): Promise<void> {
  return page.getByRole('group', { name: 'Duty' }).getByText(name).click();
}

// hold presses as long as what cannot be taken back wants it.
export function hold(button: Locator): Promise<void> {
  return button.click({ delay: 900 });
}

export const title = (page: Page): Locator => page.getByRole('heading', { level: 1 });
export const button = (page: Page, name: string | RegExp): Locator => page.getByRole('button', { name });

export async function events(admin: Client, order: Pick<Order, 'id'>): Promise<OrderEvent[]> {
  return (await admin.get<{ events: OrderEvent[] }>(`/orders/${order.id}/events`)).events;
}

const steps = ['at_pickup', 'picked_up', 'at_dropoff', 'delivered', 'failed', 'returned'];

// told are the steps that the courier reported, as the server has them.
export async function told(admin: Client, order: Pick<Order, 'id'>): Promise<string[]> {
  return (await events(admin, order)).map(({ type }) => type).filter((type) => steps.includes(type));
}
