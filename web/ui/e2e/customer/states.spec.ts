import type { Page } from '@playwright/test';
import { at, expect, test, wantAccessible } from '../kit/test';

const NOON = '2026-05-04T12:00:00Z';

function headline(page: Page) {
  return page.getByRole('heading', { level: 1 });
}

test.describe('waiting', () => {
  test.use({ clock: NOON });

  test('an order that waits for its kitchen says when it will be ready, and promises no minute', async ({ page, order, link }) => {
    const soup = await order({ ready_at: '2026-05-04T12:40:00Z', deliver_by: '2026-05-04T13:15:00Z' });
    await page.goto(await link(soup));
    await expect(headline(page)).toHaveText('We have your order');
    await expect(page.getByText('It will be ready at 12:40. A courier is sent in time to fetch it.')).toBeVisible();
    await expect(page.getByText('by 13:15')).toBeVisible();
    await expect(page.getByText(/minute/)).toBeHidden();
    await wantAccessible(page);
  });

  test('an order that is ready says that a courier is being found', async ({ page, order, link }) => {
    await page.goto(await link(await order()));
    await expect(headline(page)).toHaveText('Finding a courier');
    await expect(page.getByText('We are looking for a courier nearby. You will see here who it is.')).toBeVisible();
    await expect(page.getByText('You can see')).toBeHidden();
    await expect(page.getByRole('listitem').filter({ hasText: 'Received' })).toHaveAttribute('aria-current', 'step');
  });
});

test.describe('nobody to be found', () => {
  test.use({ flags: ['--clock-rate', '60', '--search-limit', '30s'] });

  test('the customer is told that it takes longer', async ({ page, order, link }) => {
    await page.goto(await link(await order()));
    await expect(headline(page)).toHaveText('Still finding a courier');
    await expect(page.getByText('It is taking longer than usual. Someone is looking into it.')).toBeVisible();
    await wantAccessible(page);
  });
});

test.describe('late', () => {
  test.use({ flags: ['--mode', 'assign'] });

  test('a delay says why, by where the order is', async ({ page, order, link, courierPhone }) => {
    const soup = await order({ deliver_by: new Date(Date.now() + 150_000).toISOString() });
    const ada = await courierPhone();
    await ada.assigned(soup);
    await page.goto(await link(soup));
    await expect(page.getByText('Running late')).toBeVisible();
    await expect(page.getByText(/It was promised for \d\d:\d\d\./)).toBeVisible();
    await expect(page.getByText('Ada is still on the way to the pickup.')).toBeVisible();
    await ada.arrive(soup, 'pickup');
    await expect(page.getByText('Ada is waiting until it is ready.')).toBeVisible();
    await ada.pickUp(soup);
    await expect(page.getByText('The way takes longer than planned.')).toBeVisible();
    await expect(page.getByText(/^\d\d:\d\d\D+\d\d:\d\d$/)).toBeVisible();
    await wantAccessible(page);
  });
});

test.describe('ends', () => {
  test.use({ flags: ['--mode', 'assign'] });

  test('a failed delivery says why, and then that it went back', async ({ page, order, link, staff, courierPhone }) => {
    const soup = await order();
    const ada = await courierPhone();
    await ada.assigned(soup);
    await ada.pickUp(soup);
    await page.goto(await link(soup));
    await expect(headline(page)).toHaveText('Ada is on the way to you');
    await ada.at(at(990));
    await ada.fail(soup, 'dropoff', 'no_answer', 'rang twice');
    await expect(headline(page)).toHaveText('The delivery did not work out');
    await expect(page.getByText('Nobody answered at the door.')).toBeVisible();
    await expect(page.getByText('The sender has been told and will be in touch.')).toBeVisible();
    await expect(page.getByRole('listitem').filter({ hasText: 'Delivered' })).toBeHidden();
    await expect(page.getByText('Live position')).toBeHidden();
    await wantAccessible(page);
    const { version } = await (await staff()).get<{ version: number }>(`/orders/${soup.id}`);
    await (await staff()).post(`/orders/${soup.id}/return`, { reason: 'brought back', version });
    await expect(headline(page)).toHaveText('Your order went back to the sender');
    await expect(page.getByText('This page no longer changes.')).toBeVisible();
  });

  test('a cancelled order says so, with the reason as it was written', async ({ page, order, link, merchant }) => {
    const soup = await order({ reference: '<b>A-17</b>' });
    await page.goto(await link(soup));
    await (await merchant()).post(`/orders/${soup.id}/cancel`, { reason: '<i>sold out</i>' });
    await expect(headline(page)).toHaveText('This order was cancelled');
    await expect(page.getByText('Reason: <i>sold out</i>')).toBeVisible();
    await expect(page.getByText('Order <b>A-17</b>')).toBeVisible();
    await expect(page).toHaveTitle('This order was cancelled · Order <b>A-17</b>');
    await wantAccessible(page);
  });

  test('after the delivery there is proof, and no map or PIN', async ({ page, order, link, courierPhone }) => {
    const soup = await order({ pin_required: true });
    const ada = await courierPhone();
    await ada.assigned(soup);
    await ada.pickUp(soup);
    await ada.at(at(600));
    await page.goto(await link(soup));
    await expect(page.getByText('Live position')).toBeVisible();
    const pin = await page.getByText(/^\d{4}$/).innerText();
    await ada.deliver(soup, { pin, note: 'Left with the porter' });
    await expect(headline(page)).toHaveText('Delivered');
    await expect(page.getByText('Confirmed with your PIN')).toBeVisible();
    await expect(page.getByText('Left with the porter')).toBeVisible();
    await expect(page.getByText(/Ada handed it over at/)).toBeVisible();
    await expect(page.getByText(pin, { exact: true })).toBeHidden();
    await expect(page.locator('figure')).toBeHidden();
    await page.reload();
    await expect(page.getByText('Left with the porter')).toBeVisible();
    await wantAccessible(page);
  });
});

test.describe('on the way', () => {
  test.use({ flags: ['--mode', 'assign'] });

  test('others come first: how many, and no position until the customer is next', async ({ page, order, link, courierPhone }) => {
    const first = await order({ reference: 'first', dropoff: { point: at(500), address: 'Elm Row 4' } });
    const second = await order({ reference: 'second', dropoff: { point: at(1000), address: 'Elm Row 9' } });
    const ada = await courierPhone(undefined, at(0));
    await ada.assigned(first);
    await ada.assigned(second);
    await ada.pickUp(first);
    await ada.pickUp(second);
    await ada.at(at(200));
    await page.goto(await link(second));
    await expect(headline(page)).toHaveText('Ada has your order');
    await expect(page.getByText('1 stop before yours')).toBeVisible();
    await expect(page.getByText('Live position')).toBeHidden();
    await ada.at(at(495));
    await ada.deliver(first);
    await ada.at(at(600));
    await expect(headline(page)).toHaveText('Ada is on the way to you');
    await expect(page.getByText('You are the next stop')).toBeVisible();
    await expect(page.getByText('Live position · 400 m from you')).toBeVisible();
  });

  test('at the door the PIN comes first, and without one there is none', async ({ page, order, link, courierPhone }) => {
    const soup = await order({ reference: 'pin', pin_required: true });
    const ada = await courierPhone();
    await ada.assigned(soup);
    await ada.pickUp(soup);
    await page.goto(await link(soup));
    await expect(page.getByText('Give it to Ada at the door, not before.')).toBeVisible();
    await ada.at(at(995));
    await expect(headline(page)).toHaveText('Ada is at your address');
    const [pin, progress] = [page.getByText('Your PIN'), page.getByRole('region', { name: 'Progress' })];
    await expect.poll(async () => (await pin.boundingBox())!.y < (await progress.boundingBox())!.y).toBe(true);
    await page.goto('about:blank');
    await page.goto(await link(await order({ reference: 'none' })));
    await expect(page.getByText('Order none')).toBeVisible();
    await expect(page.getByText('Your PIN')).toBeHidden();
  });

  test('without a number the sender passes it on', async ({ page, order, link, courierPhone }) => {
    const soup = await order();
    await (await courierPhone()).assigned(soup);
    await page.goto(await link(soup));
    await expect(page.getByText('Something to tell Ada? The sender can pass it on.')).toBeVisible();
  });

  test.describe('where the company gives numbers out', () => {
    test.use({ flags: ['--mode', 'assign', '--courier-phone'] });

    test('the courier can be called and written to', async ({ page, order, link, courier, courierPhone }) => {
      const soup = await order();
      await (await courierPhone(await courier({ phone: '+31 20 555 0100' }))).assigned(soup);
      await page.goto(await link(soup));
      await expect(page.getByRole('link', { name: 'Call Ada' })).toHaveAttribute('href', 'tel:+31 20 555 0100');
      await expect(page.getByRole('link', { name: 'Write to Ada' })).toHaveAttribute('href', 'sms:+31 20 555 0100');
      await wantAccessible(page);
    });
  });
});

test.describe('in Russian', () => {
  test.use({ locale: 'ru-RU', flags: ['--mode', 'assign'] });

  test('the page speaks it', async ({ page, order, link, courierPhone }) => {
    const soup = await order();
    await page.goto(await link(soup));
    await expect(headline(page)).toHaveText('Ищем курьера');
    await expect(page.locator('html')).toHaveAttribute('lang', 'ru');
    const ada = await courierPhone();
    await ada.assigned(soup);
    await ada.pickUp(soup);
    await ada.at(at(600));
    await expect(headline(page)).toHaveText('Ada уже в пути к вам');
    await expect(page.getByText('Положение сейчас · 400 м от вас')).toBeVisible();
    await expect(page.getByText(/[A-Za-z]{4,}/).filter({ hasNotText: /Elm|Market/ })).toHaveCount(0);
  });
});
