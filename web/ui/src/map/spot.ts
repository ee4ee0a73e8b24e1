import * as icons from '../design/icons';
import type { Point, StopKind } from '../protocol/types';

const paths: Record<StopKind, string> = { pickup: icons.store, dropoff: icons.home, return: icons.undo };

// Spot is a place that is marked on a map.
export interface Spot {
  id: string;
  point: Point;
  kind: StopKind | 'here';
}

export function spotElement(kind: Spot['kind']): HTMLElement {
  return badge(`spot ${kind}`, kind === 'here' ? '' : paths[kind], 16);
}

// badge is a round DOM mark; hidden from screen readers, which have the lists.
export function badge(name: string, path: string, size: number): HTMLElement {
  const element = document.createElement('div');
  element.className = name;
  element.setAttribute('aria-hidden', 'true');
  if (!path) return element;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('width', String(size));
  svg.setAttribute('height', String(size));
  const shape = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  element.append(svg);
  return element;
}

// zoneName is written as text: people choose names.
export function zoneName(name: string): HTMLElement {
  const element = document.createElement('div');
  element.className = 'zone-name';
  element.setAttribute('aria-hidden', 'true');
  element.textContent = name;
  return element;
}
