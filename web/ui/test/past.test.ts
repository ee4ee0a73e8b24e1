import { expect, test } from 'vitest';
import { classOf, labelOf } from '../src/map/cells';
import { mercatorX } from '../src/map/mercator';
import { busyness, courseOf, ordersAt, stateAt, unpack, whereAt, type Where } from '../src/dispatcher/past';
import type { OrderStatus, ReplayOrder } from '../src/protocol/types';

const point = { lat: 52, lng: 4 };
const track = unpack(
  { id: 'c', name: 'Mia', vehicle: 'bicycle', way: { at: [10, 10, 300], lat: [5_200_000, 0, 0], lng: [400_000, 100, 100] } },
  1_000,
);

function where(time: number): Where | undefined {
  const into: Where = { x: 0, y: 0, silent: false };
  return whereAt(track, time, into) ? into : undefined;
}

test.each<[string, number, number | undefined, boolean]>([
  ['before the first fix', 1_009, undefined, false],
  ['at a fix', 1_010, 4, false],
  ['between two', 1_015, 4.0005, false],
  ['at the start of a silence', 1_060, 4.001, false],
  ['in a silence', 1_200, 4.001, true],
  ['back again', 1_320, 4.002, false],
  ['after the last', 1_381, 4.002, true],
  ['long after', 1_320 + 1_801, undefined, false],
])('where a courier was: %s', (_, time, lng, silent) => {
  const at = where(time);
  if (lng === undefined) expect(at).toBeUndefined();
  else {
    expect(at!.x).toBeCloseTo(mercatorX(lng), 10);
    expect(at!.silent).toBe(silent);
  }
});

test('a break is shown as one, and who is off duty not at all', () => {
  const way = { at: [0, 50, 50, 50, 50], lat: [5_200_000, 0, 0, 0, 0], lng: [400_000, 0, 0, 0, 0] };
  const duty = [{ at: -500, duty: 'available' as const }, { at: 60, duty: 'break' as const }, { at: 120, duty: 'available' as const }, { at: 170, duty: 'off' as const }];
  const mia = unpack({ id: 'c', name: 'Mia', vehicle: 'bicycle', way, duty }, 1_000);
  const then = (...carries: string[]) => ({ waiting: [], counts: { waiting: 0, carried: 0, delivered: 0, failed: 0 }, state: new Map(carries.map((id) => [id, 'busy' as const])) });
  const into: Where = { x: 0, y: 0, silent: false };
  const state = (at: number) => (whereAt(mia, 1_000 + at, into) ? stateAt(mia, 1_000 + at, into.silent, then()) : 'gone');
  expect([10, 60, 119, 120, 169, 170, 250].map(state)).toEqual(['free', 'break', 'break', 'free', 'free', 'gone', 'gone']);
  expect(stateAt(mia, 1_100, false, then('c')), 'what is carried through a break comes first').toBe('busy');
  expect(stateAt(mia, 1_100, true, then())).toBe('stale');
  expect(stateAt(track, 1_010, false, then()), 'a day without a record of duties').toBe('free');
});

function course(id: string, ...steps: [number, OrderStatus, string?][]) {
  const order: ReplayOrder = { id, pickup: point, dropoff: point, steps: steps.map(([at, status, courier]) => ({ at, status, courier })) };
  return courseOf(order, id);
}

const day = [
  course('a', [-600, 'placed'], [0, 'searching'], [60, 'offered', 'x'], [90, 'searching'], [100, 'assigned', 'y'], [890, 'delivered', 'y']),
  course('b', [50, 'searching'], [55, 'offered', 'y'], [200, 'cancelled']),
  course('c', [1_000, 'searching'], [1_100, 'unassignable']),
];

test.each<[number, number[], Record<string, string>]>([
  [-700, [0, 0, 0, 0], {}],
  [-1, [1, 0, 0, 0], {}],
  [70, [2, 0, 0, 0], { x: 'offered', y: 'offered' }],
  [150, [1, 1, 0, 0], { y: 'busy' }],
  [950, [0, 0, 1, 1], {}],
  [2_000, [1, 0, 1, 1], {}],
])('at %i s of the day: waiting, carried, delivered, failed', (time, counts, states) => {
  const then = ordersAt(day, time);
  expect(Object.values(then.counts)).toEqual(counts);
  expect(Object.fromEntries(then.state)).toEqual(states);
});

test('what ended before the day is not counted in it', () => {
  expect(ordersAt([course('a', [-900, 'searching'], [-5, 'delivered'])], 10).counts.delivered).toBe(0);
});

test('the outline of a day counts what was open in each part of it', () => {
  expect(busyness(day, 1_200, 4)).toEqual([2, 1, 1, 1]);
  expect(busyness(day, 2_400, 8, 1_300)).toEqual([2, 1, 1, 1, 1, 0, 0, 0]);
});

test.each<[Parameters<typeof classOf>[0], number, number, number, string]>([
  ['supply', 0, 9, -1, '0'],
  ['supply', 3, 0, 1, '3'],
  ['demand', 1, 20, 3, '20'],
  ['ratio', 0, 0, -1, '0:0'],
  ['ratio', 0, 1, 0, '0:1'],
  ['ratio', 2, 3, 1, '2:3'],
  ['ratio', 2, 2, 2, '2:2'],
  ['ratio', 4, 2, 3, '4:2'],
  ['ratio', 5, 2, 4, '5:2'],
])('a cell shows its %s: %i couriers, %i orders', (mode, supply, demand, shade, label) => {
  expect(classOf(mode, { cell: '', supply, demand })).toBe(shade);
  expect(labelOf(mode, { cell: '', supply, demand })).toBe(label);
});
