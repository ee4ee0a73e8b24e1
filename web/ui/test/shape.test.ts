import { expect, test } from 'vitest';
import { corners, crosses, faultOf, inserted, middle, moved, nameAt, removed, toArea, toShape, type Shape } from '../src/map/shape';
import type { Point, ZoneArea } from '../src/protocol/types';

const at = (lng: number, lat: number): Point => ({ lat, lng });
const square: Shape = { polygons: [[[at(0, 0), at(4, 0), at(4, 4), at(0, 4)]]] };
const holed: Shape = { polygons: [[...square.polygons[0]!, [at(1, 1), at(2, 1), at(2, 2)]]] };
const first = { polygon: 0, ring: 0, index: 0 };

test.each<[string, ZoneArea]>([
  ['a polygon', { type: 'Polygon', coordinates: [[[4, 52], [5, 52], [5, 53], [4, 52]]] }],
  ['one with a hole', { type: 'Polygon', coordinates: [[[0, 0], [4, 0], [4, 4], [0, 0]], [[1, 0.5], [2, 0.5], [2, 1], [1, 0.5]]] }],
  ['several', { type: 'MultiPolygon', coordinates: [[[[4, 52], [5, 52], [5, 53], [4, 52]]], [[[6, 52], [7, 52], [7, 53], [6, 52]]]] }],
])('%s comes back as it was', (_, area) => expect(toArea(toShape(area))).toEqual(area));

test('what is saved is closed and no finer than a hand draws', () => {
  const area = toArea({ polygons: [[[at(0.12345678, 0), at(1, 0), at(1, 1)]]] });
  expect(area.coordinates[0]).toEqual([[0.123457, 0], [1, 0], [1, 1], [0.123457, 0]]);
});

test('a corner is moved, added and taken away, and what was before stays as it was', () => {
  const pushed = moved(square, first, at(-1, -1));
  expect(pushed.polygons[0]![0]![0]).toEqual(at(-1, -1));
  const more = inserted(square, { ...first, index: 3 }, middle(at(0, 4), at(0, 0)));
  expect(more.polygons[0]![0]).toEqual([at(0, 0), at(4, 0), at(4, 4), at(0, 4), at(0, 2)]);
  expect(removed(square, first).polygons[0]![0]).toEqual([at(4, 0), at(4, 4), at(0, 4)]);
  expect(square.polygons[0]![0]).toHaveLength(4);
});

test('an outline keeps three corners, a hole goes as a whole', () => {
  const triangle = removed(square, first);
  expect(removed(triangle, first)).toBe(triangle);
  expect(removed(holed, { polygon: 0, ring: 1, index: 2 })).toEqual(square);
  expect(corners(holed)).toHaveLength(7);
});

test.each<[string, Point[], boolean]>([
  ['a square', square.polygons[0]![0]!, false],
  ['a bow tie', [at(0, 0), at(4, 4), at(4, 0), at(0, 4)], true],
  ['one that touches itself in a corner', [at(0, 0), at(2, 0), at(1, 1), at(2, 2), at(0, 2), at(1, 1)], false],
  ['a notch that goes through the other side', [at(0, 0), at(4, 0), at(4, 4), at(2, -1), at(0, 4)], true],
])('the border crosses itself: %s', (_, ring, expected) => expect(crosses(ring)).toBe(expected));

test('what cannot be saved has a reason', () => {
  expect(faultOf({ polygons: [] })).toBe('few');
  expect(faultOf({ polygons: [[[at(0, 0), at(1, 1)]]] })).toBe('few');
  expect(faultOf({ polygons: [[[at(0, 0), at(4, 4), at(4, 0), at(0, 4)]]] })).toBe('crossed');
  expect(faultOf(holed)).toBeUndefined();
});

test('a name is written in the middle of the largest part, far from the equator too', () => {
  const far: Shape = { polygons: [[[at(90, 50), at(91, 50), at(91, 51), at(90, 51)]], [[at(4, 52), at(8, 52), at(8, 56), at(4, 56)]]] };
  const { lat, lng } = nameAt(far)!;
  expect(lat).toBeCloseTo(54, 6);
  expect(lng).toBeCloseTo(6, 6);
  expect(nameAt({ polygons: [] })).toBeUndefined();
});
