import type { Point, ZoneArea } from '../protocol/types';

// Shape is an area as it is edited: rings of corners, each open (the first
// corner is not repeated), of each polygon the outline first, then its holes.
export interface Shape {
  polygons: Point[][][];
}

// Corner says which one: of which polygon, ring and place in it.
export interface Corner {
  polygon: number;
  ring: number;
  index: number;
}

export function toShape(area: ZoneArea): Shape {
  const polygons = area.type === 'Polygon' ? [area.coordinates] : area.coordinates;
  return {
    polygons: polygons.map((rings) => rings.map((ring) => ring.slice(0, -1).map(([lng, lat]) => ({ lat: lat!, lng: lng! })))),
  };
}

export function toArea({ polygons }: Shape): ZoneArea {
  const closed = polygons.map((rings) => rings.map((ring) => [...ring, ring[0]!].map(({ lat, lng }) => [round(lng), round(lat)])));
  return closed.length === 1 ? { type: 'Polygon', coordinates: closed[0]! } : { type: 'MultiPolygon', coordinates: closed };
}

// round to a tenth of a metre: what a hand draws is not more exact.
function round(degrees: number): number {
  return Math.round(degrees * 1e6) / 1e6;
}

export function corners({ polygons }: Shape): Corner[] {
  return polygons.flatMap((rings, polygon) => rings.flatMap((ring, r) => ring.map((_, index) => ({ polygon, ring: r, index }))));
}

export function ringOf(shape: Shape, { polygon, ring }: Corner): Point[] {
  return shape.polygons[polygon]?.[ring] ?? [];
}

export function moved(shape: Shape, at: Corner, to: Point): Shape {
  return withRing(shape, at, (ring) => ring.with(at.index, to));
}

export function inserted(shape: Shape, after: Corner, point: Point): Shape {
  return withRing(shape, after, (ring) => ring.toSpliced(after.index + 1, 0, point));
}

// removed leaves a ring at least a triangle; a hole may go altogether.
export function removed(shape: Shape, at: Corner): Shape {
  const ring = ringOf(shape, at);
  if (ring.length > 3) return withRing(shape, at, (corners) => corners.toSpliced(at.index, 1));
  if (at.ring === 0) return shape;
  return { polygons: shape.polygons.map((rings, index) => (index === at.polygon ? rings.toSpliced(at.ring, 1) : rings)) };
}

function withRing(shape: Shape, { polygon, ring }: Corner, change: (ring: Point[]) => Point[]): Shape {
  return {
    polygons: shape.polygons.map((rings, p) => (p === polygon ? rings.map((points, r) => (r === ring ? change(points) : points)) : rings)),
  };
}

export function middle(a: Point, b: Point): Point {
  return { lat: (a.lat + b.lat) / 2, lng: (a.lng + b.lng) / 2 };
}

// crosses says whether any two edges of a ring cut each other: what is inside
// such a ring is not what it looks like.
export function crosses(ring: Point[]): boolean {
  const count = ring.length;
  for (let i = 0; i < count; i++) {
    for (let j = i + 2; j < count; j++) {
      if (i === 0 && j === count - 1) continue; // neighbours, around the end
      if (cut(ring[i]!, ring[(i + 1) % count]!, ring[j]!, ring[(j + 1) % count]!)) return true;
    }
  }
  return false;
}

function cut(a: Point, b: Point, c: Point, d: Point): boolean {
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

function side(a: Point, b: Point, p: Point): number {
  return (b.lng - a.lng) * (p.lat - a.lat) - (b.lat - a.lat) * (p.lng - a.lng);
}

export type Fault = 'few' | 'crossed';

export function faultOf(shape: Shape): Fault | undefined {
  const rings = shape.polygons.flat();
  if (rings.length === 0 || rings.some((ring) => ring.length < 3)) return 'few';
  return rings.some(crosses) ? 'crossed' : undefined;
}

export function points({ polygons }: Shape): Point[] {
  return polygons.flat(2);
}

// nameAt is where a shape's name is written: the middle of its largest outline.
export function nameAt({ polygons }: Shape): Point | undefined {
  const outlines = polygons.flatMap(([outline]) => (outline && outline.length > 2 ? [outline] : []));
  const largest = outlines.sort((a, b) => Math.abs(twiceArea(b)) - Math.abs(twiceArea(a)))[0];
  if (!largest) return undefined;
  let [lat, lng] = [0, 0];
  const area = twiceArea(largest);
  if (area === 0) return largest[0];
  largest.forEach((a, index) => {
    const b = largest[(index + 1) % largest.length]!;
    const part = (a.lng - largest[0]!.lng) * (b.lat - largest[0]!.lat) - (b.lng - largest[0]!.lng) * (a.lat - largest[0]!.lat);
    lat += ((a.lat + b.lat - 2 * largest[0]!.lat) * part) / (3 * area);
    lng += ((a.lng + b.lng - 2 * largest[0]!.lng) * part) / (3 * area);
  });
  return { lat: largest[0]!.lat + lat, lng: largest[0]!.lng + lng };
}

function twiceArea(ring: Point[]): number {
  return ring.reduce((sum, a, index) => {
    const b = ring[(index + 1) % ring.length]!;
    return sum + (a.lng - ring[0]!.lng) * (b.lat - ring[0]!.lat) - (b.lng - ring[0]!.lng) * (a.lat - ring[0]!.lat);
  }, 0);
}
