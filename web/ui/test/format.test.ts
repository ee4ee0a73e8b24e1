import { expect, test } from 'vitest';
import { ago, clockRange, clockTime, countdown, distance, span } from '../src/messages/format';

const at = (hour: number, minute: number, day = 23) => new Date(2026, 10, day, hour, minute).getTime();

const plain = (text: string) => text.replace(/[\u2009\u202f]/g, ' ');

test('a range says what both ends share only once', () => {
  expect(plain(clockRange(at(18, 5), at(18, 20)))).toBe('6:05 – 6:20 PM');
  expect(plain(clockRange(at(11, 50), at(12, 10)))).toBe('11:50 AM – 12:10 PM');
});

test('a range over midnight has two whole ends', () => {
  expect(plain(clockRange(at(23, 50), at(0, 10, 24), at(23, 0)))).toBe('11:50 PM – Tue 12:10 AM');
});

test('a range that runs backwards is its beginning', () => {
  expect(clockRange(at(18, 5), at(18, 1))).toBe(clockTime(at(18, 5)));
});

test('a range within a minute is one time', () => {
  expect(clockRange(at(18, 5), at(18, 5) + 20_000)).toBe(clockTime(at(18, 5)));
});

test('another day is named, once', () => {
  const now = at(23, 0);
  const text = clockRange(at(9, 0, 24), at(9, 30, 24), now);
  expect(text.match(/Tue/g)).toHaveLength(1);
});

test.each([
  [245, '4:05'],
  [59.2, '1:00'],
  [9, '0:09'],
  [0, '0:00'],
  [-30, '0:00'],
])('countdown of %d s reads %s', (seconds, text) => expect(countdown(seconds)).toBe(text));

test.each([
  [0, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [3_540, '59 min'],
  [3_580, '1 h'],
  [4_500, '1 h 15 min'],
  [200_000, '2 d'],
])('span of %d s reads %s', (seconds, text) => expect(span(seconds)).toBe(text));

test('what just happened is not counted in seconds', () => {
  expect(ago(2)).toBe('just now');
  expect(ago(40)).toBe('40 s ago');
});

test.each([
  [84, '80 m'],
  [940, '940 m'],
  [2_340, '2.3 km'],
  [18_400, '18 km'],
])('distance of %d m reads %s', (metres, text) => expect(distance(metres)).toBe(text));
