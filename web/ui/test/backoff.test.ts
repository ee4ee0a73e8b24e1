import { expect, test } from 'vitest';
import { Backoff } from '../src/protocol/backoff';

test('delays double up to the limit', () => {
  const backoff = new Backoff({ base: 100, max: 1_000, random: () => 1 });
  expect(Array.from({ length: 6 }, () => backoff.next())).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

test('jitter keeps a delay between half its step and the whole', () => {
  const low = new Backoff({ base: 100, max: 1_000, random: () => 0 });
  expect(Array.from({ length: 3 }, () => low.next())).toEqual([50, 100, 200]);
});

test('a reset starts over', () => {
  const backoff = new Backoff({ base: 100, random: () => 1 });
  backoff.next();
  backoff.next();
  backoff.reset();
  expect(backoff.next()).toBe(100);
});

test('a very long outage does not overflow', () => {
  const backoff = new Backoff({ base: 500, max: 30_000, random: () => 1 });
  for (let i = 0; i < 5_000; i++) backoff.next();
  expect(backoff.next()).toBe(30_000);
});
