import { expect, test } from 'vitest';
import { aged, foreseen, type Known } from '../src/courier/foresight';
import type { CourierCommand } from '../src/protocol/frames';
import type { Stop, StopKind } from '../src/protocol/types';

const at = '2026-11-23T10:00:00Z';

function stop(order: string, kind: StopKind, size = 1): Stop {
  return { order, kind, size, address: `${kind} of ${order}`, point: { lat: 0, lng: 0 } };
}

const market = { ...stop('o1', 'pickup'), note: 'back door', ready_at: at, arrived_at: at };
const command = (type: 'stop.arrive' | 'stop.complete' | 'stop.fail', order: string, kind: StopKind): CourierCommand =>
  ({ type, order, kind, at, id: 'a', ...(type === 'stop.fail' && { reason: 'no_answer' }) }) as CourierCommand;
const failed = command('stop.fail', 'o1', 'dropoff');

const see = (known: Partial<Known>) =>
  foreseen({ plan: { version: 1, stops: [stop('o1', 'dropoff')] }, done: [], waiting: [], pickups: { o1: market }, capacity: 3, ...known });
const names = (known: Partial<Known>) => see(known).map(({ order, kind }) => `${order} ${kind}`);

test('a failed drop-off is followed by the way back at once, to where it came from', () => {
  const [back, ...rest] = see({ waiting: [failed] });
  expect(rest).toEqual([]);
  expect(back).toEqual({ order: 'o1', kind: 'return', size: 1, address: 'pickup of o1', point: { lat: 0, lng: 0 }, pending: true });
});

test('it stays while the answer is there and the plan is not, and is the server’s after that', () => {
  expect(see({ done: [failed] })).toMatchObject([{ kind: 'return', pending: false }]);
  expect(names({ done: [failed], plan: { version: 2, stops: [stop('o1', 'return')] } })).toEqual(['o1 return']);
  expect(names({ plan: { version: 2, stops: [stop('o1', 'return')] } })).toEqual(['o1 return']);
});

test('a failure that the server refused has left no trace', () => {
  expect(names({})).toEqual(['o1 dropoff']);
});

test('it comes last, or first where there is no room to carry the goods along', () => {
  const stops = [stop('o1', 'dropoff'), stop('o2', 'pickup', 2), stop('o2', 'dropoff', 2)];
  const plan = { version: 1, stops };
  expect(names({ plan, waiting: [failed] })).toEqual(['o2 pickup', 'o2 dropoff', 'o1 return']);
  expect(names({ plan, waiting: [failed], capacity: 2 })).toEqual(['o1 return', 'o2 pickup', 'o2 dropoff']);
});

test('what is brought back offline can be done offline', () => {
  const arrived = command('stop.arrive', 'o1', 'return');
  expect(see({ waiting: [failed, arrived] })).toMatchObject([{ kind: 'return', arrived_at: at, pending: true }]);
  expect(names({ waiting: [failed, arrived, command('stop.complete', 'o1', 'return')] })).toEqual([]);
});

test('a pickup that fails takes the whole order off, and nothing is brought back', () => {
  const plan = { version: 1, stops: [stop('o1', 'pickup'), stop('o1', 'dropoff'), stop('o2', 'dropoff')] };
  expect(names({ plan, waiting: [command('stop.fail', 'o1', 'pickup')] })).toEqual(['o2 dropoff']);
});

test('where the place it came from is not known, nothing is made up', () => {
  expect(names({ waiting: [failed], pickups: {} })).toEqual([]);
});

test('what was answered shows on, whether the plan that comes next has it yet or not', () => {
  const arrived = command('stop.arrive', 'o1', 'dropoff');
  const before = { version: 2, stops: [stop('o1', 'dropoff')] };
  const after = { version: 3, stops: [{ ...stop('o1', 'dropoff'), arrived_at: '2026-11-23T10:00:01Z' }] };
  expect(see({ done: [arrived] })).toMatchObject([{ arrived_at: at, pending: false }]);
  expect(see({ done: [arrived], plan: before })).toMatchObject([{ arrived_at: at }]);
  expect(see({ done: [arrived], plan: after })).toMatchObject([{ arrived_at: '2026-11-23T10:00:01Z' }]);
});

test('plans are believed a while after the first one that follows an answer', () => {
  const fresh = [{ command: failed, until: Infinity }];
  const first = aged(fresh, 1_000);
  expect(aged(first, 5_999)).toEqual(first);
  expect(aged(first, 6_000)).toEqual([]);
});
