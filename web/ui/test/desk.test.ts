import { describe, expect, test, vi } from 'vitest';
import { lateness } from '../src/dispatcher/feed';
import { active, anyCourier, anyOrder, filterCouriers, filterOrders } from '../src/dispatcher/filters';
import { changes, clashes, fieldsOf, knownPlaces, listOf, placeOf, pointOf, rebased } from '../src/dispatcher/forms';
import { Notices } from '../src/dispatcher/notices.svelte';
import { inverse, predict } from '../src/dispatcher/predict';
import { busy, dayOf, onTime, reportPath, ticks, type HourFigures } from '../src/dispatcher/report';
import { why } from '../src/dispatcher/whys';
import { drawn, revealing, step } from '../src/dispatcher/windowed';
import type { Courier, FleetCourier, Order, OrderStatus } from '../src/protocol/types';

const now = Date.parse('2026-11-23T12:00:00Z');
const place = { point: { lat: 52, lng: 4 }, address: 'Market 1' };

function order(id: string, status: OrderStatus, more: Partial<Order> = {}): Order {
  return { id, merchant: 'm', status, version: 3, pickup: place, dropoff: { point: { lat: 53, lng: 4 } }, size: 1, ...more };
}

function courier(id: string, more: Partial<FleetCourier> = {}): FleetCourier {
  return { id, name: id, vehicle: 'bicycle', state: 'free', duty: 'available', load: 0, capacity: 3, version: 1, stops: 0, ...more };
}

describe('a long list', () => {
  const view = { count: 1000, top: 760, height: 304, row: 76 };
  const between = (from: number, to: number) => Array.from({ length: to - from }, (_, place) => from + place);

  test('draws what is in sight and a little more', () => {
    expect(drawn(view, -1)).toEqual(between(4, 20));
    expect(drawn({ ...view, count: 3, top: 0 }, -1)).toEqual([0, 1, 2]);
    expect(drawn({ ...view, count: 0, top: 0 }, 0)).toEqual([]);
    expect(drawn({ ...view, count: 10 }, -1)).toEqual(between(4, 10)); // it has become shorter
  });

  test('draws the row that the keyboard is on, wherever it is', () => {
    expect(drawn(view, 0)).toEqual([0, ...between(4, 20)]);
    expect(drawn(view, 999)).toEqual([...between(4, 20), 999]);
    expect(drawn(view, 10)).toEqual(between(4, 20));
  });

  test.each([
    ['ArrowDown', 10, 11],
    ['k', 10, 9],
    ['ArrowUp', 0, 0],
    ['End', 3, 999],
    ['Home', 3, 0],
    ['PageDown', 998, 999],
    ['PageDown', 10, 13],
    ['ArrowDown', -1, 0],
  ])('%s from row %d goes to %d', (key, from, to) => expect(step(key, view, from)).toBe(to));

  test('other keys are not its own', () => expect(step('a', view, 1)).toBeUndefined());

  test('scrolls no farther than it must', () => {
    expect(revealing(view, 0)).toBe(0);
    expect(revealing(view, 11)).toBe(760);
    expect(revealing(view, 20)).toBe(21 * 76 - 304);
  });
});

describe('filters', () => {
  const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString();
  const orders = [
    order('a', 'searching', { reference: 'A-17', deliver_by: at(10), requirements: { vehicles: ['van'] } }),
    order('b', 'offered', { merchant: 'bread', courier: 'c1', window: { from: at(20), to: at(50) } }),
    order('c', 'searching', { dropoff: { point: { lat: 53, lng: 4 }, address: 'Elm Row 9', contact: { name: 'Ann' } } }),
  ];
  const ids = (filter: Partial<typeof anyOrder>, words = '') =>
    filterOrders(orders, { ...anyOrder, ...filter }, words, {
      now,
      bounds: { south: 52.9, north: 53.1, west: 3.9, east: 4.1 },
      name: (id) => (id ? 'Mia Berg' : ''),
    }).map(({ id }) => id);

  test.each([
    [{}, 'elm ann', ['c']],
    [{}, 'mia', ['b']],
    [{}, 'a-17 elm', []],
    [{ status: 'searching' as const }, '', ['a', 'c']],
    [{ merchant: 'bread' }, '', ['b']],
    [{ due: '15' as const }, '', ['a']],
    [{ due: '60' as const }, '', ['a', 'b']],
    [{ due: 'none' as const }, '', ['c']],
    [{ vehicle: 'van' as const }, '', ['a']],
    [{ onMap: true }, '', ['a', 'b', 'c']],
  ])('%o with "%s" lets %o through', (filter, words, expected) => expect(ids(filter, words)).toEqual(expected));

  test('say how many are set', () => {
    expect(active(anyOrder)).toBe(0);
    expect(active({ ...anyCourier, state: 'stale', onMap: true })).toBe(2);
  });

  test('couriers who need a look come first, then by name', () => {
    const all = [courier('Zoe'), courier('Ada', { state: 'offline' }), courier('Bo', { state: 'stale' }), courier('Émile')];
    expect(filterCouriers(all, anyCourier, '').map(({ id }) => id)).toEqual(['Bo', 'Émile', 'Zoe', 'Ada']);
    expect(filterCouriers(all, { ...anyCourier, onMap: true }, '', { south: 0, north: 1, west: 0, east: 1 })).toEqual([]);
  });
});

describe('what the dispatcher decides', () => {
  const waiting = order('a', 'searching');
  const taken = order('a', 'assigned', { courier: 'c1' });

  test('is shown before the server has answered, under the version that was seen', () => {
    const shown = predict('assign', waiting, 'why', 'c1', now);
    expect(shown).toMatchObject({ status: 'assigned', courier: 'c1', version: 3 });
    expect(predict('unassign', taken, 'why', '', now)).toMatchObject({ status: 'searching', courier: undefined });
    expect(predict('cancel', waiting, 'why', '', now)).toMatchObject({ status: 'cancelled', reason: 'why' });
  });

  test.each([
    ['assign' as const, waiting, taken, { action: 'unassign', courier: '' }],
    ['reassign' as const, taken, order('a', 'assigned', { courier: 'c2' }), { action: 'reassign', courier: 'c1' }],
    ['unassign' as const, taken, waiting, { action: 'assign', courier: 'c1' }],
    // The matcher was faster: it is taken from whom it gave it to.
    ['unassign' as const, taken, order('a', 'assigned', { courier: 'c2' }), { action: 'reassign', courier: 'c1' }],
    ['pin' as const, waiting, order('a', 'searching', { pinned: 'c1' }), { action: 'unpin', courier: '' }],
    ['unpin' as const, order('a', 'searching', { pinned: 'c1' }), waiting, { action: 'pin', courier: 'c1' }],
    ['assign' as const, waiting, order('a', 'picked_up', { courier: 'c1' }), undefined],
    ['retry' as const, order('a', 'unassignable'), waiting, undefined],
  ])('%s is taken back as far as it can be', (action, before, after, back) => expect(inverse(action, before, after)).toEqual(back));
});

test('good news goes by itself, bad news stays until it is read', () => {
  vi.useFakeTimers();
  const notices = new Notices();
  const undo = vi.fn();
  notices.show({ tone: 'ok', text: 'done', actions: [{ name: 'Undo', undo: true, run: undo }] });
  const bad = notices.show({ tone: 'bad', text: 'not done' });
  notices.undoLast();
  expect(undo).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(60_000);
  expect(notices.list.map(({ text }) => text)).toEqual(['not done']);
  notices.show({ tone: 'ok', text: 'done after all' }, bad);
  expect(notices.list.map(({ text }) => text)).toEqual(['done after all']);
  vi.useRealTimers();
});

test('late is what misleads, and it says which', () => {
  expect(lateness(3, 0.2)).toBeUndefined();
  expect(lateness(3, 8.4)).toEqual({ of: 'positions', seconds: 8 });
  expect(lateness(27, 8.4)).toEqual({ of: 'picture', seconds: 20 });
});

describe('a report', () => {
  const none = { placed: 0, delivered: 0, failed: 0, cancelled: 0, promised: 0, late: 0, median_assign_seconds: 0, median_delivery_seconds: 0 };
  const hours: HourFigures[] = Array.from({ length: 24 }, (_, hour) => ({ ...none, from: String(hour), placed: hour === 11 || hour === 13 ? 1 : 0 }));

  test('shows the hours in which there was anything', () => {
    const shown = busy(hours).map(({ from }) => Number(from));
    expect(shown).toHaveLength(12);
    expect(shown[0]).toBeLessThanOrEqual(11);
    expect(shown.at(-1)).toBeGreaterThanOrEqual(13);
    expect(busy(hours.slice(0, 12)).at(-1)!.from).toBe('11');
    expect(busy([])).toEqual([]);
  });

  test('is of a day on the wall', () => {
    const { from, to } = dayOf(Date.parse('2026-03-01T15:00:00Z'), -1);
    expect([from.toISOString(), to.toISOString()]).toEqual(['2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z']);
    expect(reportPath(from, to, { by: 'hour' }, 'day.csv')).toBe(
      '/reports/day.csv?from=2026-02-28T00%3A00%3A00.000Z&to=2026-03-01T00%3A00%3A00.000Z&by=hour',
    );
  });

  test('knows no share of nothing', () => {
    expect(onTime(none)).toBeUndefined();
    expect(onTime({ ...none, promised: 8, late: 2 })).toBe(75);
  });

  test.each([
    [0, [0, 1]],
    [3, [0, 1, 2, 3]],
    [37, [0, 10, 20, 30, 40]],
    [410, [0, 200, 400, 600]],
  ])('up to %d its scale is %o', (highest, marks) => expect(ticks(highest)).toEqual(marks));
});

describe('forms', () => {
  test.each([
    ['52.0907, 5.1214', { lat: 52.0907, lng: 5.1214 }],
    ['-33.9;18.4', { lat: -33.9, lng: 18.4 }],
    ['52.0907 5.1214', { lat: 52.0907, lng: 5.1214 }],
    ['91, 5', undefined],
    ['Market 1', undefined],
    ['', undefined],
  ])('"%s" is the point %o', (text, point) => expect(pointOf(text)).toEqual(point));

  test('leave out what nobody filled in', () => {
    expect(placeOf({ address: ' Elm Row 9 ', point: '52, 4', name: '', phone: '', note: '' })).toEqual({ point: { lat: 52, lng: 4 }, address: 'Elm Row 9' });
    expect(placeOf({ address: 'Elm Row 9', point: '', name: '', phone: '', note: '' })).toBeUndefined();
    expect(listOf('cold, heavy,cold, ')).toEqual(['cold', 'heavy']);
  });

  test('know the addresses that orders have been to', () => {
    const known = knownPlaces([order('a', 'placed'), order('b', 'placed', { dropoff: { ...place, address: 'Elm Row 9' } })]);
    expect([...known.keys()]).toEqual(['Market 1', 'Elm Row 9']);
  });

  const seen: Courier = { id: 'c1', name: 'Mia', vehicle: 'bicycle', capacity: 3, duty: 'available', state: 'free', load: 0, version: 4 };

  test('send what was changed, and see what somebody else changed too', () => {
    const mine = { ...fieldsOf(seen), name: 'Mia Berg', skills: 'cold' };
    expect(changes(seen, mine)).toEqual({ name: 'Mia Berg', skills: ['cold'] });
    expect(clashes(seen, { ...seen, version: 9, capacity: 5 }, changes(seen, mine))).toEqual([]);
    const theirs = { ...seen, version: 9, name: 'Mia B.', capacity: 5 };
    expect(clashes(seen, theirs, changes(seen, mine))).toEqual(['name']);
    expect(changes(theirs, rebased(seen, theirs, mine))).toEqual({ name: 'Mia Berg', skills: ['cold'] });
  });
});

test('reasons of the server are said in the language of the page, or as they came', () => {
  expect(why('costs 218 s more', 'ru')).toBe('дороже на 218 с');
  expect(why('Mia has no room for 3 more units', 'ru')).toBe('Mia: нет места ещё на 3');
  expect(why('something new', 'ru')).toBe('something new');
  expect(why('costs 218 s more', 'en')).toBe('costs 218 s more');
});
