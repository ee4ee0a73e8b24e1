import type { Point } from '../protocol/types';

const METRES_A_DEGREE = 111_320;

// metresBetween is the straight way over the ground, good for a city.
export function metresBetween(a: Point, b: Point): number {
  const squeeze = Math.cos((((a.lat + b.lat) / 2) * Math.PI) / 180);
  return Math.hypot(a.lat - b.lat, (a.lng - b.lng) * squeeze) * METRES_A_DEGREE;
}
