import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Desk } from '../src/dispatcher/desk.svelte';
import { GRACE } from '../src/dispatcher/deeds.svelte';
import type { Order } from '../src/protocol/types';

const place = { point: { lat: 52, lng: 4 } };
const waiting: Order = { id: 'o1', merchant: 'm', reference: 'A-17', status: 'searching', version: 3, pickup: place, dropoff: place, size: 1 };

interface Asked {
  path: string;
  body: Record<string, unknown>;
}

let asked: Asked[];
let answers: ((asked: Asked) => [number, unknown])[];
let desk: Desk;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  answers = [];
  vi.stubGlobal('fetch', async (path: string, { body }: RequestInit) => {
    const request = { path, body: body ? JSON.parse(String(body)) : undefined };
    asked.push(request);
    const answer = answers.shift();
    if (!answer) throw new TypeError('no network');
    const [status, content] = answer(request);
    return new Response(JSON.stringify(content), { status });
  });
  desk = new Desk('token', () => {});
  desk.fleet.put(waiting);
  desk.fleet.couriers.set('c1', { id: 'c1', name: 'Mia', vehicle: 'van', state: 'free', duty: 'available', load: 0, capacity: 3, version: 1, stops: 0 });
});

afterEach(() => {
  desk.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const status = () => desk.fleet.order('o1')?.status;
const texts = () => desk.notices.list.map(({ text, lines = [] }) => [text, ...lines].join(' | '));
const settled = () => vi.advanceTimersByTimeAsync(1);

function assign(): void {
  desk.deeds.do({ action: 'assign', order: waiting, reason: 'closer', courier: 'c1' });
}

test('an action shows before it is answered, and carries the version that was seen', async () => {
  answers.push(() => [200, { ...waiting, status: 'assigned', courier: 'c1', version: 5 }]);
  assign();
  expect(status()).toBe('assigned');
  expect(desk.fleet.certain('o1')?.status).toBe('searching');
  expect(asked).toEqual([{ path: '/v1/orders/o1/assign', body: { reason: 'closer', version: 3, courier: 'c1' } }]);
  await settled();
  expect(desk.fleet.certain('o1')?.version).toBe(5);
  expect(desk.fleet.isForeseen('o1')).toBe(false);
  expect(texts()).toEqual(['A-17 goes to Mia']);
});

test('undo asks for the opposite, against what is now', async () => {
  answers.push(() => [200, { ...waiting, status: 'assigned', courier: 'c1', version: 5 }]);
  assign();
  await settled();
  desk.fleet.put({ ...waiting, status: 'at_pickup', courier: 'c1', version: 6 });
  answers.push(() => [200, { ...waiting, version: 8 }]);
  desk.notices.undoLast();
  expect(status()).toBe('searching');
  await settled();
  expect(asked.at(-1)).toMatchObject({ path: '/v1/orders/o1/unassign', body: { version: 6 } });
  expect(texts()).toEqual(['A-17: taken back']);
});

test('a conflict takes it back on the page and says who changed what', async () => {
  const taken = { ...waiting, status: 'assigned', courier: 'c2', version: 4 };
  answers.push(() => [409, { code: 'conflict', current: taken }]);
  const event = { order: 'o1', version: 4, type: 'assigned', status: 'assigned', actor: { role: 'dispatcher', id: 'Kim' }, data: { courier: 'c2', reason: 'Mistake' } };
  answers.push(() => [200, { events: [{ ...event, version: 3, type: 'searching' }, { ...event, time: new Date(Date.now() - 240_000).toISOString() }] }]);
  assign();
  await settled();
  expect(desk.fleet.order('o1')).toMatchObject({ courier: 'c2', version: 4 });
  expect(texts()).toEqual(['A-17 was not assigned to Mia | Assigned · #c2 · “Mistake”, by dispatcher Kim, 4 min ago']);
  desk.notices.list[0]!.actions![0]!.run();
  expect(desk.asking).toMatchObject({ what: 'action', action: 'reassign', courier: 'c1', reason: 'closer', order: { version: 4 } });
});

test('a refusal is no conflict: it says why', async () => {
  answers.push(() => [409, { code: 'conflict', detail: 'Mia has not been heard of lately', current: waiting }]);
  assign();
  await settled();
  expect(status()).toBe('searching');
  expect(texts()).toEqual(['A-17 was not assigned to Mia | Mia has not been heard of lately']);
});

test('without a connection nothing is pretended', async () => {
  assign();
  await settled();
  expect(status()).toBe('searching');
  expect(texts()[0]).toContain('No connection');
});

test('what has no way back waits, and can be taken back until it is sent', async () => {
  const cancel = () => desk.deeds.do({ action: 'cancel', order: waiting, reason: 'asked', courier: '' });
  cancel();
  expect(status()).toBe('cancelled');
  desk.notices.undoLast();
  expect(status()).toBe('searching');
  await vi.advanceTimersByTimeAsync(GRACE * 2);
  expect(asked).toEqual([]);

  answers.push(() => [200, { ...waiting, status: 'cancelled', version: 4 }]);
  cancel();
  await vi.advanceTimersByTimeAsync(GRACE);
  expect(asked).toEqual([{ path: '/v1/orders/o1/cancel', body: { reason: 'asked', version: 3 } }]);
});

test('a page that closes sends what still waits', () => {
  answers.push(() => [200, { ...waiting, status: 'cancelled', version: 4 }]);
  desk.deeds.do({ action: 'cancel', order: waiting, reason: 'asked', courier: '' });
  desk.deeds.flush();
  expect(asked).toHaveLength(1);
});

test('what the server says meanwhile is newer than what was foreseen', () => {
  answers.push(() => [200, waiting]);
  assign();
  desk.fleet.put({ ...waiting, status: 'cancelled', version: 4 });
  expect(status()).toBe('cancelled');
});
