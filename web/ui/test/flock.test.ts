import { expect, test } from 'vitest';
import { Flock } from '../src/map/flock';
import { gather } from '../src/map/groups';
import { mercatorX, mercatorY, pointAt } from '../src/map/mercator';
import { markScale } from '../src/map/scale';
import { short, spell } from '../src/map/spell';
import { STRIDE } from '../src/map/sprites';
import type { CourierState, Point } from '../src/protocol/types';

const here: Point = { lat: 52, lng: 4.3 };
const near: Point = { lat: 52, lng: 4.301 };
const courier = (id: string, fix: Point, state: CourierState = 'free') => ({ id, state, fix });

test('places go to the world and back', () => {
  const { lat, lng } = pointAt(mercatorX(here.lng), mercatorY(here.lat));
  expect(lat).toBeCloseTo(52, 9);
  expect(lng).toBeCloseTo(4.3, 9);
});

test('a courier glides from fix to fix at the pace they come', () => {
  const flock = new Flock();
  flock.update([courier('a', here)], 0);
  flock.update([courier('a', near)], 2_000);
  expect(flock.x(0, 2_000)).toBe(mercatorX(here.lng));
  const half = flock.x(0, 3_100);
  expect(half).toBeCloseTo((mercatorX(here.lng) + mercatorX(near.lng)) / 2, 12);
  expect(flock.moving(3_100)).toBe(true);
  expect(flock.x(0, 4_300)).toBe(mercatorX(near.lng));
  expect(flock.moving(4_300)).toBe(false);
});

test('how fast the fastest goes is told of those in sight and on their way', () => {
  const flock = new Flock();
  const [x, y] = [mercatorX(here.lng), mercatorY(here.lat)];
  const around = [x - 1e-4, y - 1e-4, x + 1e-4, y + 1e-4] as const;
  flock.update([courier('a', here), courier('b', here)], 0);
  expect(flock.fastest(400, ...around)).toBe(0);
  flock.update([courier('a', near), courier('b', { lat: 52, lng: 4.302 })], 2_000);
  const speed = (mercatorX(4.302) - x) / 2_200; // a fix is expected 1.1 times as late as the last came
  expect(flock.fastest(2_100, ...around)).toBeCloseTo(speed, 15);
  expect(flock.fastest(2_100, 0, 0, 0.1, 0.1), 'out of sight').toBe(0);
  expect(flock.fastest(4_300, ...around), 'arrived').toBe(0);
});

test('a new fix in the middle of a glide does not make it jump', () => {
  const flock = new Flock();
  flock.update([courier('a', here)], 0);
  flock.update([courier('a', near)], 2_000);
  const before = flock.x(0, 2_700);
  flock.update([courier('a', here)], 2_700);
  expect(flock.x(0, 2_700)).toBe(before);
});

test('the same fix again is no movement, and a far one is no glide', () => {
  const flock = new Flock();
  const fix = { ...here };
  flock.update([courier('a', fix)], 0);
  flock.update([courier('a', fix, 'busy')], 1_000);
  expect(flock.moving(1_000)).toBe(false);
  expect(flock.state[0]).toBe(2);
  flock.update([courier('a', { lat: 53, lng: 4.3 })], 2_000);
  expect(flock.y(0, 2_000)).toBe(mercatorY(53));
});

test('who prefers less motion sees none', () => {
  const flock = new Flock(() => true);
  flock.update([courier('a', here)], 0);
  flock.update([courier('a', near)], 2_000);
  expect(flock.x(0, 2_000)).toBe(mercatorX(near.lng));
});

test('who is gone leaves no hole, however many there were', () => {
  const flock = new Flock();
  const many = Array.from({ length: 700 }, (_, index) => courier(`c${index}`, { lat: 52, lng: index / 1000 }));
  flock.update(many, 0);
  flock.update(many.filter((_, index) => index % 3 === 1), 1_000);
  expect(flock.count).toBe(233);
  for (let slot = 0; slot < flock.count; slot++) {
    expect(flock.slot(flock.ids[slot])).toBe(slot);
    expect(flock.x(slot, 9_000)).toBe(mercatorX(Number(flock.ids[slot]!.slice(1)) / 1000));
  }
  expect(flock.slot('c0')).toBe(-1);
});

test('the graphics card is given the way from an origin, and when it began', () => {
  const flock = new Flock();
  flock.update([courier('a', here)], 0);
  flock.update([courier('a', near)], 2_000);
  const into = new Float32Array(STRIDE);
  flock.write(0, into, 0, mercatorX(here.lng), mercatorY(here.lat), 2_500);
  expect([into[0], into[1], into[3]]).toEqual([0, 0, 0]);
  expect(into[2]).toBeCloseTo(mercatorX(near.lng) - mercatorX(here.lng), 10);
  expect(into[4]).toBe(-0.5);
  expect(into[5]).toBeCloseTo(1 / 2.2, 6);
});

// Points in pixels at a level, from the middle of a cell of the grid.
function grouped(places: [number, number][], free = () => false) {
  const size = 512 * 2 ** 10;
  const at = (pixels: number) => (72 * 100 + 36 + pixels) / size;
  return gather(places.length, (slot) => at(places[slot]![0]), (slot) => at(places[slot]![1]), 10, () => true, free);
}

test('those who would cover each other are one group, few stay single', () => {
  const { groups, member } = grouped([[0, 0], [5, 0], [0, 5], [5, 5], [500, 0], [505, 0]], () => true);
  expect(groups.map(({ count, free }) => [count, free])).toEqual([[4, 4]]);
  expect([...member]).toEqual([1, 1, 1, 1, 0, 0]);
});

test('a border of the grid between them does not part them', () => {
  const { groups, member } = grouped([[30, 0], [31, 0], [32, 0], [33, 0], [40, 0], [41, 0]]);
  expect(groups.map(({ count }) => count)).toEqual([6]);
  expect([...member]).toEqual([1, 1, 1, 1, 1, 1]);
});

test('every courier of thousands is shown once: alone or in a group', () => {
  let seed = 7;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const places = Array.from({ length: 5_000 }, (): [number, number] => [random() * 1_000, random() * 700]);
  const { groups, member } = grouped(places);
  const within = groups.reduce((sum, { count }) => sum + count, 0);
  expect(within).toBe(member.reduce((sum, one) => sum + one, 0));
  expect(within).toBeGreaterThan(4_900);
});

test('figures are short', () => {
  expect([7, 999, 1_234, 12_345].map(short)).toEqual(['7', '999', '1.2k', '12k']);
  const [one, two] = spell('12');
  expect(one!.dx).toBe(-two!.dx);
});

test('who is in sight is counted, but for those in groups', () => {
  const flock = new Flock();
  const [x, y] = [mercatorX(here.lng), mercatorY(here.lat)];
  flock.update([courier('a', here), courier('b', near), courier('c', { lat: 53, lng: 4.3 })], 0);
  const around = [x - 1e-4, y - 1e-4, x + 1e-4, y + 1e-4] as const;
  expect(flock.within(...around, new Uint8Array(3))).toBe(2);
  expect(flock.within(...around, Uint8Array.of(1, 0, 0))).toBe(1);
});

test('marks shrink from afar and in a crowd, never beyond telling apart', () => {
  const desk = 1440 * 900;
  expect(markScale(15, desk, 200)).toBe(1);
  expect(markScale(13, desk, 1_000)).toBeCloseTo(0.925);
  expect(markScale(13, desk, 5_000)).toBeLessThan(0.6);
  expect(markScale(13, desk, 5_000)).toBeGreaterThan(0.5);
  expect(markScale(10, desk, 50_000)).toBe(0.5);
  expect(markScale(15, 320 * 500, 0)).toBe(1);
});
