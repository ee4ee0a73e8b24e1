const SMALLEST = 0.5; // shapes can still be told apart
const ROOM = 28; // CSS pixels from one courier to the next from which on marks are whole

// markScale is how large couriers are drawn: smaller from afar, and smaller
// where there are so many in sight of an area (square CSS pixels) that their
// marks would hide each other and the streets.
export function markScale(zoom: number, area: number, inSight: number): number {
  const afar = Math.min(1, Math.max(0.7, 0.7 + ((zoom - 10) / 4) * 0.3));
  const crowd = Math.min(1, Math.sqrt(area / Math.max(1, inSight)) / ROOM);
  return Math.max(SMALLEST, afar * crowd);
}
