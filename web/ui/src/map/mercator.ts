import type { Point } from '../protocol/types';

// Web Mercator with the world as one unit, x to the east and y to the south,
// as MapLibre has it.
export function mercatorX(lng: number): number {
  return (lng + 180) / 360;
}

export function mercatorY(lat: number): number {
  const sine = Math.sin((lat * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
}

export function pointAt(x: number, y: number): Point {
  return { lat: (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI, lng: x * 360 - 180 };
}

// worldSize is the world's width in CSS pixels.
export function worldSize(zoom: number): number {
  return 512 * 2 ** zoom;
}
