import type { CourierState } from '../protocol/types';
import { palettes, type Palette, type Theme } from './palette';

// Everything that is drawn many times on the fleet's map, as pictures around
// the middle of one cell. No fonts or sprites have to come from anywhere.
export const CELL = 48; // CSS pixels
export const RATIO = 2; // of the atlas' pixels to those
const COLUMNS = 8;

export const EIGHTHS = 8; // of a group's couriers, free

type Paint = (c: CanvasRenderingContext2D, p: Palette) => void;

const paints: Paint[] = [];
// Extents are those of what is painted, in CSS pixels: less to fill.
export const extents: number[] = [];

function glyph(extent: number, paint: Paint): number {
  extents.push(extent);
  return paints.push(paint) - 1;
}

const courierStates: CourierState[] = ['free', 'offered', 'busy', 'break', 'stale', 'offline'];
// In the order of flock's states.
export const couriers = courierStates.map((state) => glyph(22, (c, p) => courier(c, state, p)));
export const ring = glyph(40, (c, p) => disc(c, 17, undefined, p.ink, 2.5));
export const waiting = glyph(18, (c, p) => diamond(c, p.pickup, p.halo));
export const dropoff = glyph(16, (c, p) => disc(c, 5, p.halo, p.dropoff, 2.5));
export const groups = Array.from({ length: EIGHTHS + 1 }, (_, part) => glyph(44, (c, p) => group(c, part / EIGHTHS, p)));
export const signs = new Map(
  [...'0123456789k.:–'].map((sign) => [sign, glyph(16, (c, p) => write(c, sign, p.ink, p.halo))] as const),
);

// advance of a sign in text, in CSS pixels; digits are all as wide.
export function advance(sign: string): number {
  return sign === '.' || sign === ':' ? 4.5 : 7.5;
}

export const rows = Math.ceil(paints.length / COLUMNS);
export const columns = COLUMNS;

export function atlas(theme: Theme): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = COLUMNS * CELL * RATIO;
  canvas.height = rows * CELL * RATIO;
  const c = context(canvas);
  paints.forEach((paint, index) => {
    c.setTransform(RATIO, 0, 0, RATIO, ((index % COLUMNS) + 0.5) * CELL * RATIO, (Math.floor(index / COLUMNS) + 0.5) * CELL * RATIO);
    paint(c, palettes[theme]);
  });
  return canvas;
}

// paintGlyph draws one of them by itself, for a legend.
export function paintGlyph(canvas: HTMLCanvasElement, index: number, theme: Theme): void {
  canvas.width = canvas.height = extents[index]! * RATIO;
  const c = context(canvas);
  c.setTransform(RATIO, 0, 0, RATIO, canvas.width / 2, canvas.height / 2);
  paints[index]!(c, palettes[theme]);
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const c = canvas.getContext('2d')!;
  c.lineCap = 'round';
  c.lineJoin = 'round';
  return c;
}

function disc(c: CanvasRenderingContext2D, radius: number, fill?: string, stroke?: string, width = 2): void {
  c.beginPath();
  c.arc(0, 0, radius, 0, 2 * Math.PI);
  if (fill) {
    c.fillStyle = fill;
    c.fill();
  }
  if (stroke) {
    c.strokeStyle = stroke;
    c.lineWidth = width;
    c.stroke();
  }
}

function strokes(c: CanvasRenderingContext2D, color: string, width: number, ...lines: [number, number][][]): void {
  c.strokeStyle = color;
  c.lineWidth = width;
  for (const points of lines) {
    c.beginPath();
    for (const [x, y] of points) c.lineTo(x, y);
    c.stroke();
  }
}

// Each state has a shape of its own, so that no one needs its colour.
function courier(c: CanvasRenderingContext2D, state: CourierState, p: Palette): void {
  const color = p.courier[state];
  disc(c, 10.5, p.halo);
  switch (state) {
    case 'free':
      disc(c, 6, undefined, color, 4.5);
      break;
    case 'busy':
      disc(c, 8.5, color);
      break;
    case 'offered':
      disc(c, 8.5, color);
      strokes(c, p.halo, 2.4, [[0, -4], [0, 0.6]], [[0, 4], [0, 4]]);
      break;
    case 'break':
      disc(c, 8.5, color);
      strokes(c, p.halo, 2.2, [[-2, -3], [-2, 3]], [[2, -3], [2, 3]]);
      break;
    case 'stale':
      c.setLineDash([3, 3.2]);
      disc(c, 7.5, undefined, color, 2.6);
      c.setLineDash([]);
      disc(c, 2, color);
      break;
    case 'offline':
      disc(c, 6.5, undefined, color, 2);
      strokes(c, color, 2, [[-4, 4], [4, -4]]);
  }
}

function diamond(c: CanvasRenderingContext2D, fill: string, halo: string): void {
  c.save();
  c.rotate(Math.PI / 4);
  c.fillStyle = fill;
  c.strokeStyle = halo;
  c.lineWidth = 2;
  c.beginPath();
  c.roundRect(-5, -5, 10, 10, 2);
  c.fill();
  c.stroke();
  c.restore();
}

// The arc around a group is the share of it that is free.
function group(c: CanvasRenderingContext2D, part: number, p: Palette): void {
  disc(c, 20.5, p.halo);
  disc(c, 18, undefined, p.even, 2);
  if (part === 0) return;
  c.beginPath();
  c.arc(0, 0, 18, -Math.PI / 2, -Math.PI / 2 + part * 2 * Math.PI);
  c.strokeStyle = p.courier.free;
  c.lineWidth = 4.5;
  c.stroke();
}

function write(c: CanvasRenderingContext2D, sign: string, color: string, halo: string): void {
  c.font = '600 13px ui-sans-serif, system-ui, sans-serif';
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  c.strokeStyle = halo;
  c.lineWidth = 3;
  c.strokeText(sign, 0, 0.5);
  c.fillStyle = color;
  c.fillText(sign, 0, 0.5);
}
