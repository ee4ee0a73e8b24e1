import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { News } from '../src/courier/news';
import type { Plan, Stop } from '../src/protocol/types';

const none = new Set<string>();
let told: string[];
let news: News;

function stop(order: string, address: string): Stop {
  return { order, kind: 'dropoff', address, point: { lat: 0, lng: 0 } };
}

const elm = stop('o1', 'Elm Row 9');
const kiln = stop('o2', 'Kiln Street 4');
const plan = (version: number, ...stops: Stop[]): Plan => ({ version, stops });

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  news = new News((_, text) => told.push(text));
});
afterEach(() => vi.useRealTimers());

test('a lost order is told with its address and the reason that comes behind the plan', () => {
  news.replaced(plan(1, elm, kiln), plan(2, kiln), none, none);
  expect(told).toEqual([]);
  news.why('o1', 'cancelled', 'customer called', 'dispatcher');
  vi.runAllTimers();
  expect(told).toEqual(['Cancelled by dispatch: Elm Row 9 (customer called)']);
});

test('one that another courier has', () => {
  news.replaced(plan(1, elm), plan(2), none, none);
  news.why('o1', 'assigned', 'closer');
  expect(told).toEqual(['Given to another courier: Elm Row 9 (closer)']);
});

test.each([
  ['cancelled', 'merchant', 'Cancelled by the sender: Elm Row 9'],
  ['cancelled', 'customer', 'Cancelled by the customer: Elm Row 9'],
  ['assigned', 'admin', 'Given to another courier by dispatch: Elm Row 9'],
  ['searching', 'system', 'Taken off your route by the system: Elm Row 9'],
  ['searching', 'courier', 'Taken off your route by another device of yours: Elm Row 9'],
  ['delivered', 'courier', 'Done on another device of yours: Elm Row 9'],
] as const)('an order that is %s by the %s', (status, by, text) => {
  news.replaced(plan(1, elm), plan(2), none, none);
  news.why('o1', status, '', by);
  expect(told).toEqual([text]);
});

test('after a resume the answer to an action that came too late says who', () => {
  news.replaced(plan(1, elm), plan(2), none, none);
  news.who('o1', 'dispatcher');
  vi.runAllTimers();
  expect(told).toEqual(['Taken off your route by dispatch: Elm Row 9']);
});

test('without a reason it is told all the same, once', () => {
  news.replaced(plan(1, elm), plan(2), none, none);
  vi.runAllTimers();
  news.why('o1', 'searching', 'late');
  expect(told).toEqual(['Taken off your route: Elm Row 9']);
});

test('an order that was lost and came back may be lost again', () => {
  for (const version of [1, 3]) {
    news.replaced(plan(version, elm), plan(version + 1), none, none);
    news.why('o1', 'searching', '');
  }
  expect(told).toHaveLength(2);
});

test('new work names where it goes, and what was accepted is no news', () => {
  expect(news.replaced(plan(1), plan(2, elm, kiln), none, none)).toBe(true);
  expect(told).toEqual(['Added to your route (2): Elm Row 9 · Kiln Street 4']);
  expect(news.replaced(plan(1), plan(2, elm), none, new Set(['o1']))).toBe(false);
  expect(told).toHaveLength(1);
});

test('another order of stops says which is next', () => {
  news.replaced(plan(1, elm, kiln), plan(2, kiln, elm), none, none);
  expect(told).toEqual(['The order of your stops has changed. Next is Kiln Street 4']);
});
