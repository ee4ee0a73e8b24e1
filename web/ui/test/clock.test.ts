import { expect, test } from 'vitest';
import { ServerClock } from '../src/protocol/clock';

test('runs at the rate of the server', () => {
  let local = 1_000;
  const clock = new ServerClock(() => local);
  clock.set('2026-11-23T10:00:00Z', 10);
  local += 3_000;
  expect(clock.iso()).toBe('2026-11-23T10:00:30.000Z');
});

test('a time that is none changes nothing', () => {
  const clock = new ServerClock(() => 0);
  clock.set('2026-11-23T10:00:00Z', 1);
  clock.set('soon', 1);
  expect(clock.iso()).toBe('2026-11-23T10:00:00.000Z');
});
