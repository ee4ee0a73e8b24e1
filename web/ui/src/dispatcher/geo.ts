import type { Point } from '../protocol/types';

const EARTH = 6_371_009; // mean radius, metres

// metresBetween is exact enough within a city (equirectangular).
export function metresBetween(a: Point, b: Point): number {
  const radians = Math.PI / 180;
  const x = (b.lng - a.lng) * radians * Math.cos(((a.lat + b.lat) / 2) * radians);
  const y = (b.lat - a.lat) * radians;
  return Math.hypot(x, y) * EARTH;
}
