import type { CourierState } from '../protocol/types';
import { palettes, type Palette, type Theme } from './palette';

const RATIO = 2;

// Map images are drawn when first asked for: "courier-busy", "cluster-12",
// "waiting", "cells-2:5". No glyphs or sprites have to come from anywhere.
export function fleetImage(id: string, theme: Theme): { image: ImageData; pixelRatio: number } | undefined {
  const p = palettes[theme];
  const dash = id.indexOf('-');
  const kind = dash < 0 ? id : id.slice(0, dash);
  const rest = dash < 0 ? '' : id.slice(dash + 1);
  switch (kind) {
    case 'courier':
      return draw(22, 22, (c) => courier(c, rest as CourierState, p));
    case 'ring':
      return draw(38, 38, (c) => disc(c, 19, 17, undefined, p.ink, 2.5));
    case 'waiting':
      return draw(18, 18, (c) => waiting(c, p));
    case 'cluster':
      return cluster(rest, p);
    case 'cells':
      return label(rest, p);
    default:
      return undefined;
  }
}

type Context = CanvasRenderingContext2D;

function draw(width: number, height: number, paint: (context: Context) => void) {
  const canvas = document.createElement('canvas');
  canvas.width = width * RATIO;
  canvas.height = height * RATIO;
  const context = canvas.getContext('2d')!;
  context.scale(RATIO, RATIO);
  context.lineCap = 'round';
  context.lineJoin = 'round';
  paint(context);
  return { image: context.getImageData(0, 0, canvas.width, canvas.height), pixelRatio: RATIO };
}

function disc(c: Context, at: number, radius: number, fill?: string, stroke?: string, width = 2): void {
  c.beginPath();
  c.arc(at, at, radius, 0, 2 * Math.PI);
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

function strokes(c: Context, color: string, width: number, ...lines: [number, number][][]): void {
  c.strokeStyle = color;
  c.lineWidth = width;
  for (const points of lines) {
    c.beginPath();
    for (const [x, y] of points) c.lineTo(x, y);
    c.stroke();
  }
}

// Each state has a shape of its own, so that no one needs its colour.
function courier(c: Context, state: CourierState, p: Palette): void {
  const color = p.courier[state] ?? p.courier.offline;
  disc(c, 11, 10.5, p.halo);
  switch (state) {
    case 'free':
      disc(c, 11, 6, undefined, color, 4.5);
      break;
    case 'busy':
      disc(c, 11, 8.5, color);
      break;
    case 'offered':
      disc(c, 11, 8.5, color);
      strokes(c, p.halo, 2.4, [[11, 7], [11, 11.6]], [[11, 15], [11, 15]]);
      break;
    case 'break':
      disc(c, 11, 8.5, color);
      strokes(c, p.halo, 2.2, [[9, 8], [9, 14]], [[13, 8], [13, 14]]);
      break;
    case 'stale':
      c.setLineDash([3, 3.2]);
      disc(c, 11, 7.5, undefined, color, 2.6);
      c.setLineDash([]);
      disc(c, 11, 2, color);
      break;
    default:
      disc(c, 11, 6.5, undefined, color, 2);
      strokes(c, color, 2, [[7, 15], [15, 7]]);
  }
}

function waiting(c: Context, p: Palette): void {
  c.translate(9, 9);
  c.rotate(Math.PI / 4);
  c.fillStyle = p.pickup;
  c.strokeStyle = p.halo;
  c.lineWidth = 2;
  c.beginPath();
  c.roundRect(-5, -5, 10, 10, 2);
  c.fill();
  c.stroke();
}

function cluster(text: string, p: Palette) {
  const size = 30 + Math.min(18, text.length * 5);
  return draw(size, size, (c) => {
    const middle = size / 2;
    disc(c, middle, middle - 1.5, p.halo, p.route, 2);
    write(c, text, middle, middle, 13, p.ink);
  });
}

function label(text: string, p: Palette) {
  return draw(14 + text.length * 8, 22, (c) => {
    c.lineWidth = 3.5;
    c.strokeStyle = p.halo;
    const middle = (14 + text.length * 8) / 2;
    write(c, text, middle, 11, 12, p.ink, true);
  });
}

function write(c: Context, text: string, x: number, y: number, size: number, color: string, outlined = false): void {
  c.font = `600 ${size}px ui-sans-serif, system-ui, sans-serif`;
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  if (outlined) c.strokeText(text, x, y);
  c.fillStyle = color;
  c.fillText(text, x, y + 0.5);
}
