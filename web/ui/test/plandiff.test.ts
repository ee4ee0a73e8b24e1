import { expect, test } from 'vitest';
import { orderLabel, planChange } from '../src/courier/plandiff';
import type { Plan, Stop, StopKind } from '../src/protocol/types';

const none = new Set<string>();

// plan reads "a+ b+ a-": pick up a, pick up b, deliver a; "!" has been reached.
function plan(text: string): Plan {
  const stops = text.split(' ').filter(Boolean).map((word): Stop => {
    const kind: StopKind = word[1] === '+' ? 'pickup' : word[1] === '-' ? 'dropoff' : 'return';
    return { order: word[0]!, kind, point: { lat: 0, lng: 0 }, ...(word[2] === '!' ? { arrived_at: '2026-11-23T09:00:00Z' } : {}) };
  });
  return { version: 1, stops };
}

const change = (before: string, after: string, own: ReadonlySet<string> = none) => planChange(plan(before), plan(after), own);

test('an order that came', () => {
  expect(change('a+ a-', 'a+ b+ b- a-')).toMatchObject({ added: ['b'], removed: [], reordered: false });
});

test('an order that went', () => {
  expect(change('a+ a- b+ b-', 'b+ b-')).toMatchObject({ added: [], removed: ['a'], reordered: false });
});

test('what the courier ended itself is no news', () => {
  expect(change('a-', '', new Set(['a/dropoff']))).toMatchObject({ removed: [] });
  expect(change('a+ a- b+', 'a- b+', new Set(['a/pickup']))).toMatchObject({ added: [], removed: [], reordered: false });
});

test('another order of stops says what is next now', () => {
  const { reordered, next } = change('a+ b+ a- b-', 'b+ a+ a- b-');
  expect(reordered).toBe(true);
  expect(next?.order).toBe('b');
});

test('what changed behind the next stop says so without one', () => {
  const { reordered, next } = change('a+ b+ a- b-', 'a+ b+ b- a-');
  expect(reordered).toBe(true);
  expect(next).toBeUndefined();
});

test('a stop that the courier came to first moves ahead without a word', () => {
  expect(change('a+ b+ a- b-', 'b+! a+ a- b-')).toMatchObject({ reordered: false });
});

test('goods that go back stay the same order', () => {
  expect(change('a- b-', 'b- a<', new Set(['a/dropoff']))).toMatchObject({ added: [], removed: [], reordered: false });
});

test('an order is called by where it goes', () => {
  const stops: Stop[] = [
    { order: '0123456789', kind: 'pickup', point: { lat: 0, lng: 0 }, address: 'Kiln Street 4' },
    { order: '0123456789', kind: 'dropoff', point: { lat: 0, lng: 0 }, contact: { name: 'Ann' } },
  ];
  expect(orderLabel({ version: 1, stops }, '0123456789')).toBe('Ann');
  expect(orderLabel({ version: 1, stops: stops.slice(0, 1) }, '0123456789')).toBe('Kiln Street 4');
  expect(orderLabel(undefined, '0123456789')).toBe('#456789');
});
