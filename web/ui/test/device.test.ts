import { expect, test } from 'vitest';
import { courierOf } from '../src/courier/account';
import { judge } from '../src/courier/checkup.svelte';
import { hoursOf } from '../src/courier/day.svelte';
import { navigationLink } from '../src/courier/device';
import { paid } from '../src/courier/pay';
import { fit, wants } from '../src/courier/proof';
import { money } from '../src/messages/format';

const elm = { lat: 52.1, lng: 4.3 };

test.each([
  ['Mozilla/5.0 (Linux; Android 15; Pixel 9)', 'geo:52.1,4.3?q=52.1,4.3(Elm%20Row%209)'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)', 'https://maps.apple.com/?daddr=52.1,4.3'],
  ['Mozilla/5.0 (X11; Linux x86_64)', 'https://www.openstreetmap.org/?mlat=52.1&mlon=4.3#map=17/52.1/4.3'],
])('%s navigates with what it has', (agent, want) => {
  expect(navigationLink(elm, 'Elm Row 9', agent)).toBe(want);
});

test('a photo is made smaller, never larger, in its shape', () => {
  expect(fit(4032, 3024)).toEqual([1280, 960]);
  expect(fit(3024, 4032)).toEqual([960, 1280]);
  expect(fit(640, 480)).toEqual([640, 480]);
  expect(fit(10_000, 2)).toEqual([1280, 1]);
});

test('proofs are asked for at the door only', () => {
  const stop = { order: 'o1', point: elm, pin_required: true, signature_required: true };
  expect(wants({ ...stop, kind: 'dropoff' })).toEqual(['pin', 'signature']);
  expect(wants({ ...stop, kind: 'pickup' })).toEqual([]);
  expect(wants({ ...stop, kind: 'return' })).toEqual([]);
});

test('a low battery is a warning unless it is charging', () => {
  expect(judge({ level: 0.8, charging: false }).level).toBe('ok');
  expect(judge({ level: 0.15, charging: false })).toEqual({ level: 'warn', text: 'Only 15 % left. Take a charger with you.' });
  expect(judge({ level: 0.15, charging: true }).level).toBe('ok');
});

test('pay is added up by currency, each order once', () => {
  const euro = { amount: 450, currency: 'EUR' };
  const sums = paid([
    { order: 'o1', kind: 'pickup', pay: euro },
    { order: 'o1', kind: 'dropoff', pay: euro },
    { order: 'o2', kind: 'dropoff', pay: euro },
    { order: 'o3', kind: 'dropoff', pay: { amount: 7, currency: 'JPY' } },
    { order: 'o4', kind: 'dropoff' },
  ]);
  expect(sums).toEqual([{ currency: 'EUR', amount: 900 }, { currency: 'JPY', amount: 7 }]);
  expect(sums.map(money)).toEqual(['€9.00', '¥7']);
});

test('a token says whose it is; what is no token says nobody', () => {
  const token = `x.${btoa(JSON.stringify({ sub: '019-ü'.slice(0, 4) })).replaceAll('=', '')}.y`;
  expect(courierOf(token)).toBe('019-');
  expect(courierOf('ct_secret')).toBe('');
  expect(courierOf('a.!.c')).toBe('');
});

test('a day adds its duty up, and its breaks apart from it', () => {
  const duty = [
    { duty: 'available' as const, from: '2026-11-23T08:00:00Z', to: '2026-11-23T12:00:00Z' },
    { duty: 'break' as const, from: '2026-11-23T12:00:00Z', to: '2026-11-23T12:20:00Z' },
    { duty: 'available' as const, from: '2026-11-23T12:20:00Z', to: '2026-11-23T13:00:00Z' },
  ];
  const day = { from: '', to: '', delivered: 0, failed: 0, distance: 0, earned: [], duty, orders: [] };
  expect(hoursOf(day)).toEqual({ duty: 4 * 3600 + 40 * 60, break: 20 * 60 });
  expect(hoursOf(undefined)).toEqual({ duty: 0, break: 0 });
});
