import type { CellCount } from '../protocol/types';
import { palettes, type Theme } from './palette';

export type CellMode = 'supply' | 'demand' | 'ratio';

// Counts are told apart from these on; a ratio has five classes, from orders
// without couriers to couriers without orders.
export const FROM = [1, 2, 4, 8];
const OPACITY = [0.2, 0.34, 0.5, 0.68];

export interface Shade {
  color: string;
  opacity: number;
}

// classOf is the shade of a cell, by its place in shades; -1: it is left blank.
export function classOf(mode: CellMode, { supply, demand }: CellCount): number {
  if (mode === 'ratio') {
    if (supply === 0 && demand === 0) return -1;
    if (demand > 2 * supply) return 0;
    if (supply > 2 * demand) return 4;
    return demand > supply ? 1 : demand === supply ? 2 : 3;
  }
  const count = mode === 'supply' ? supply : demand;
  return FROM.findLastIndex((from) => count >= from);
}

export function labelOf(mode: CellMode, { supply, demand }: CellCount): string {
  return mode === 'ratio' ? `${supply}:${demand}` : String(mode === 'supply' ? supply : demand);
}

export function shades(mode: CellMode, theme: Theme): Shade[] {
  const p = palettes[theme];
  if (mode !== 'ratio') return OPACITY.map((opacity) => ({ color: p[mode], opacity }));
  return [
    { color: p.demand, opacity: 0.6 },
    { color: p.demand, opacity: 0.28 },
    { color: p.even, opacity: 0.3 },
    { color: p.supply, opacity: 0.28 },
    { color: p.supply, opacity: 0.6 },
  ];
}
