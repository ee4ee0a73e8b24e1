import { expect, test } from 'vitest';
import { planChange } from '../src/courier/plandiff';
import { atRisk, isPast, sortIntoLanes } from '../src/dispatcher/queue';
import { Glide } from '../src/map/motion';
import type { Order, OrderStatus, Stop, StopKind } from '../src/protocol/types';

const now = Date.parse('2026-11-23T12:00:00Z');
const minutes = (n: number) => new Date(now + n * 60_000).toISOString();
const place = { point: { lat: 52, lng: 4 } };

function order(id: string, status: OrderStatus, more: Partial<Order> = {}): Order {
  return { id, merchant: 'm', status, version: 1, pickup: place, dropoff: place, size: 1, ...more };
}

function stop(name: string, kind: StopKind): Stop {
  return { order: name, kind, point: place.point };
}

test.each<[string, Order, boolean]>([
  ['expected after its deadline', order('a', 'picked_up', { deliver_by: minutes(20), eta: { dropoff: minutes(25) } }), true],
  ['expected in time', order('a', 'picked_up', { deliver_by: minutes(20), eta: { dropoff: minutes(15) } }), false],
  ['waiting close to its deadline', order('a', 'searching', { deliver_by: minutes(10) }), true],
  ['with nobody to carry it', order('a', 'unassignable'), true],
  ['over, however late', order('a', 'delivered', { deliver_by: minutes(-60) }), false],
  ['without a deadline', order('a', 'searching'), false],
])('at risk: %s', (_, subject, expected) => expect(atRisk(subject, now, new Set())).toBe(expected));

test('lanes put what nobody was found for first and the newest end on top', () => {
  const lanes = sortIntoLanes(
    [
      order('a', 'searching', { deliver_by: minutes(60) }),
      order('b', 'unassignable'),
      order('c', 'delivered', { times: { delivered: minutes(-20) } }),
      order('d', 'cancelled', { times: { cancelled: minutes(-5) } }),
    ],
    now,
    new Set(),
  );
  expect(lanes.unassigned.map(({ id }) => id)).toEqual(['b', 'a']);
  expect(lanes.done.map(({ id }) => id)).toEqual(['d', 'c']);
});

test.each<[string, Order, boolean]>([
  ['ended an hour ago', order('a', 'delivered', { times: { delivered: minutes(-61) } }), true],
  ['ended lately', order('a', 'cancelled', { times: { cancelled: minutes(-59) } }), false],
  ['open, however old', order('a', 'searching', { times: { searching: minutes(-600) } }), false],
  ['failed with the goods on board', order('a', 'failed', { times: { picked_up: minutes(-90), failed: minutes(-80) } }), false],
  ['failed before the pickup', order('a', 'failed', { times: { failed: minutes(-80) } }), true],
])('past: %s', (_, subject, expected) => expect(isPast(subject, now)).toBe(expected));

test("a plan's change leaves out what the courier did", () => {
  const before = { version: 1, stops: [stop('a', 'dropoff'), stop('b', 'dropoff'), stop('c', 'dropoff')] };
  const after = { version: 2, stops: [stop('c', 'dropoff'), stop('d', 'pickup')] };
  expect(planChange(before, after, new Set(['a/dropoff']))).toEqual({ added: ['d'], removed: ['b'], reordered: false });
});

test('a mark glides at the pace of its fixes', () => {
  const glide = new Glide();
  glide.move({ lat: 52, lng: 4 }, 0);
  glide.move({ lat: 52.001, lng: 4 }, 2_000);
  expect(glide.at(3_000)?.lat).toBeCloseTo(52.0005, 6);
  expect(glide.at(9_000)?.lat).toBeCloseTo(52.001, 6);
});

test('a mark does not glide across half a country, nor when motion is unwanted', () => {
  const far = new Glide();
  far.move({ lat: 52, lng: 4 }, 0);
  far.move({ lat: 53, lng: 4 }, 2_000);
  expect(far.at(2_000)?.lat).toBe(53);
  const still = new Glide(() => true);
  still.move({ lat: 52, lng: 4 }, 0);
  still.move({ lat: 52.001, lng: 4 }, 2_000);
  expect(still.at(2_000)?.lat).toBe(52.001);
});
