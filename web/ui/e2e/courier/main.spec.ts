import type { Order } from '../../src/protocol/types';
import { at, expect, test, wantAccessible } from '../kit/test';
import { button, duty, events, hold, photo, ride, signIn, stand, title, told } from './ride';

test('a courier signs in by link, takes an offer and delivers with PIN and photo', async ({ page, context, courier, order, link, other, staff }) => {
  const ada = await courier();
  await context.grantPermissions(['geolocation']);
  await stand(context, at(200));
  await page.goto(`/courier#code=${await ada.code()}`);
  await expect(title(page)).toHaveText('Before you ride');
  await expect(page.getByText('Found you within 10 m.')).toBeVisible();
  await expect(page.getByText(/Traccar Client and OwnTracks/)).toBeVisible();
  await wantAccessible(page);
  await button(page, 'Start').click();
  await expect(title(page)).toHaveText('You are off duty');
  expect(page.url()).not.toContain('code');
  await duty(page, 'Available');
  await expect(title(page)).toHaveText('Waiting for the next order');

  const soup = await order({ pin_required: true, photo_required: true, items: '2 soups', pay: { amount: 450, currency: 'EUR' } });
  await expect(page.getByRole('heading', { name: 'New order' })).toBeVisible();
  await expect(page.getByText('€4.50 pay')).toBeVisible();
  await expect(page.getByText('200 m to pickup')).toBeVisible();
  await expect(page.getByRole('timer')).toHaveText(/^0:[0-3]\d$/);
  await wantAccessible(page);
  await button(page, 'Accept').click();
  await expect(title(page)).toHaveText('Market 1');
  await expect(page.getByText('Elm Row 9')).toBeVisible();

  await button(page, 'I have arrived').click();
  const pickedUp = button(page, 'Picked up');
  await pickedUp.click(); // a touch in passing does nothing
  await expect(title(page)).toHaveText('Market 1');
  await hold(pickedUp);
  await expect(title(page)).toHaveText('Elm Row 9');
  await button(page, 'I have arrived').click();
  await wantAccessible(page);

  const customer = await other('phone');
  await customer.page.goto(await link(soup));
  const pin = await customer.page.getByText(/^\d{4}$/).innerText();
  await button(page, 'Delivered…').click();
  await button(page, /^Delivered$/).click();
  await expect(page.getByText('Still missing: PIN from the customer, Photo')).toBeVisible();
  await page.getByLabel('Ask for it').fill(pin === '0000' ? '0001' : '0000');
  await page.locator('input[type=file]').setInputFiles(photo);
  await expect(page.getByAltText('The photo you took')).toBeVisible();
  await wantAccessible(page);
  await button(page, /^Delivered$/).click();
  // The server knows better: the photo is kept, the PIN is asked for again.
  await expect(page.getByText('The PIN is wrong. Ask again.').first()).toBeVisible();
  await expect(page.getByText('The photo has been sent.')).toBeVisible();
  await page.getByLabel('Ask for it').fill(pin);
  await button(page, /^Delivered$/).click();
  await expect(title(page)).toHaveText('Waiting for the next order');

  const admin = await staff();
  await expect.poll(() => told(admin, soup)).toContain('delivered');
  const done = await admin.get<Order>(`/orders/${soup.id}`);
  expect(done).toMatchObject({ status: 'delivered', proof: { pin: true, photo: expect.stringMatching(/./) } });
  expect(await told(admin, soup)).toEqual(['at_pickup', 'picked_up', 'at_dropoff', 'delivered']);
  await expect(customer.page.getByAltText('Photo of the delivery')).toBeVisible();

  await button(page, 'Menu').click();
  await wantAccessible(page);
  await button(page, 'Today').click();
  await expect(title(page)).toHaveText('Today');
  await expect(page.getByText('€4.50').first()).toBeVisible();
  await expect(page.getByText('Elm Row 9')).toBeVisible();
  await wantAccessible(page);
  await page.goBack(); // the phone's own
  await expect(title(page)).toHaveText('Waiting for the next order');
});

test('who signs draws or has the name written', async ({ page, courier, order, staff }) => {
  await ride(page, await courier());
  const soup = await order({ signature_required: true });
  await button(page, 'Accept').click();
  await button(page, 'I have arrived').click();
  await hold(button(page, 'Picked up'));
  await button(page, 'I have arrived').click();
  await button(page, 'Delivered…').click();
  const pad = page.locator('canvas');
  const box = (await pad.boundingBox())!;
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + 120, box.y + 80, { steps: 5 });
  await page.mouse.up();
  await expect(pad).toHaveText('The signature');
  await button(page, 'Write the name instead').click();
  await expect(pad).toHaveText('Sign here with a finger');
  await page.getByLabel('Name of who gets it').fill('Ann Bell');
  await expect(pad).toHaveText('The signature');
  await wantAccessible(page);
  await button(page, /^Delivered$/).click();
  await expect(title(page)).toHaveText('Waiting for the next order');
  const admin = await staff();
  await expect.poll(() => told(admin, soup)).toContain('delivered');
  const { proof } = await admin.get<Order>(`/orders/${soup.id}`);
  const picture = await fetch(`${admin.url()}/v1/orders/${soup.id}/proofs/${proof?.signature}`, { headers: { Authorization: `Bearer ${admin.token}` } });
  expect(picture.headers.get('content-type')).toBe('image/png');
  expect(picture.headers.get('x-content-type-options')).toBe('nosniff');
});

test('what goes wrong is reported with a reason, and the goods go back', async ({ page, courier, order, staff }) => {
  await ride(page, await courier());
  const soup = await order();
  await button(page, 'Accept').click();
  await button(page, 'I have arrived').click();
  await hold(button(page, 'Picked up'));
  await button(page, 'Problem').click();
  await page.getByLabel('Nobody answers').check();
  await page.getByLabel('Note (optional)').fill('rang twice');
  await wantAccessible(page);
  await hold(button(page, 'Report'));
  await expect(title(page)).toHaveText('Market 1');
  await expect(page.getByText(/^Bring back/)).toBeVisible();
  await duty(page, 'Off');
  await expect(page.getByText('You still have stops to do. Finish them before you go off duty.')).toBeVisible();
  await expect(page.getByRole('radio', { name: 'Available' })).toBeChecked();
  await button(page, 'I have arrived').click();
  // Without a pointer it is asked twice.
  await button(page, 'Brought back').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByText('press again to confirm')).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(title(page)).toHaveText('Waiting for the next order');
  const admin = await staff();
  await expect.poll(() => told(admin, soup)).toEqual(['at_pickup', 'picked_up', 'failed', 'returned']);
});

test('what was answered stays so while plans are late', async ({ page, courier, order }) => {
  let late: (() => void)[] | undefined;
  let answered = 0;
  await page.routeWebSocket(/ws\/courier/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => {
      const pass = () => socket.send(frame);
      if (late && /"type":"ack"(?!.*"accepted")/.test(String(frame))) answered++;
      if (late && String(frame).includes('"type":"plan"')) late.push(pass);
      else pass();
    });
  });
  await ride(page, await courier());
  await order();
  await button(page, 'Accept').click();
  await expect(button(page, 'I have arrived')).toBeVisible();
  late = [];
  await button(page, 'I have arrived').click();
  await hold(button(page, 'Picked up'));
  await button(page, 'I have arrived').click();
  await hold(button(page, 'Delivered'));
  await expect(title(page)).toHaveText('Waiting for the next order');
  await expect.poll(() => [answered, late!.length]).toEqual([4, 4]);
  for (const plan of late) {
    await expect(title(page)).toHaveText('Waiting for the next order');
    plan();
  }
  await expect(title(page)).toHaveText('Waiting for the next order');
});

test('an offer is declined with a reason; on a break there is none', async ({ page, courier, order, staff }) => {
  await ride(page, await courier());
  const soup = await order();
  await button(page, 'Decline').click();
  await button(page, 'Too far').click();
  await expect(page.getByRole('heading', { name: 'New order' })).toBeHidden();
  const admin = await staff();
  await expect.poll(async () => (await events(admin, soup)).find(({ type }) => type === 'declined')?.data?.reason).toBe('too_far');
  await duty(page, 'Break');
  await expect(title(page)).toHaveText('You are on a break');
});

test('a code is typed, and a wrong one says so', async ({ page, courier, faults }) => {
  faults.allow(/401/);
  const ada = await courier();
  await page.goto('/courier');
  await wantAccessible(page);
  await page.getByRole('textbox').fill('1234 5678');
  await button(page, 'Sign in').click();
  await expect(page.getByRole('alert')).toHaveText(/This code is not valid/);
  await page.getByRole('textbox').fill(await ada.code());
  await button(page, 'Sign in').click();
  await expect(title(page)).toHaveText('Before you ride');
});

test('signing out asks first, and says what would be lost', async ({ page, courier, line }) => {
  await signIn(page, await courier());
  line.cut();
  await expect(page.getByText('The server does not answer')).toBeVisible();
  await duty(page, 'Available');
  await button(page, 'Menu').click();
  await button(page, 'Sign out').click();
  await expect(page.getByText('1 update has not been sent yet. Signing out throws it away.')).toBeVisible();
  await wantAccessible(page);
  await button(page, 'Stay signed in').click();
  line.mend();
  await expect(title(page)).toHaveText('Waiting for the next order');
  await button(page, 'Menu').click();
  await button(page, 'Sign out').click();
  await button(page, 'Sign out').click();
  await expect(title(page)).toHaveText('Sign in');
});
