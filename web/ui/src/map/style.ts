import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { FeatureCollection, Position } from 'geojson';
import type { Point } from '../protocol/types';
import { palettes, type Theme } from './palette';

// cityStyle draws the made city of /v1/basemap.
export function cityStyle(theme: Theme, base: FeatureCollection): StyleSpecification {
  const p = palettes[theme];
  return {
    version: 8,
    sources: { base: { type: 'geojson', data: base } },
    layers: [
      { id: 'background', type: 'background', paint: { 'background-color': p.outside } },
      fill('area', p.ground),
      fill('block', p.block, 13),
      fill('park', p.park),
      fill('water', p.water),
      line('water-line', ['==', ['get', 'kind'], 'water'], p.water, 3, 8),
      street('minor', p.casing, 1.6, 9, 14),
      street('major', p.casing, 3, 14),
      street('minor', p.minor, 1, 7, 12.5),
      street('major', p.major, 1.8, 11),
      {
        id: 'area-line',
        type: 'line',
        source: 'base',
        filter: ['==', ['get', 'kind'], 'area'],
        paint: { 'line-color': p.casing, 'line-width': 1.5, 'line-dasharray': [4, 3] },
      },
    ],
  };
}

// quietStyle is the base when there is no city and no tiles: a plain ground
// with a lattice of hexagons that gives movement a scale.
export function quietStyle(theme: Theme, center: Point): StyleSpecification {
  const p = palettes[theme];
  return {
    version: 8,
    sources: { lattice: { type: 'geojson', data: lattice(center) } },
    layers: [
      { id: 'background', type: 'background', paint: { 'background-color': p.ground } },
      {
        id: 'lattice',
        type: 'line',
        source: 'lattice',
        paint: { 'line-color': p.lattice, 'line-width': ['interpolate', ['linear'], ['zoom'], 9, 0.5, 15, 1.5] },
      },
    ],
  };
}

function kindIs(kind: string): ['==', ['get', string], string] {
  return ['==', ['get', 'kind'], kind];
}

function fill(kind: string, color: string, minzoom = 0): LayerSpecification {
  return {
    id: kind,
    type: 'fill',
    source: 'base',
    minzoom,
    filter: ['all', kindIs(kind), ['==', ['geometry-type'], 'Polygon']],
    paint: { 'fill-color': color },
  };
}

function line(id: string, filter: ReturnType<typeof kindIs>, color: string, near: number, far: number): LayerSpecification {
  return {
    id,
    type: 'line',
    source: 'base',
    filter: ['all', filter, ['==', ['geometry-type'], 'LineString']],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': color, 'line-width': ['interpolate', ['exponential', 1.5], ['zoom'], 11, near / 2, 16, far] },
  };
}

function street(grade: 'minor' | 'major', color: string, far: number, near: number, minzoom = 0): LayerSpecification {
  return {
    id: `street-${grade}-${color}`,
    type: 'line',
    source: 'base',
    minzoom,
    filter: ['all', kindIs('street'), ['==', ['get', 'class'], grade]],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': color, 'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 11, far / 2, 14, far, 17, near] },
  };
}

const EDGE = 600; // metres, near an H3 cell of resolution 8
const RINGS = 22;

function lattice(center: Point): FeatureCollection {
  const metre = 1 / 111_320;
  const squeeze = Math.cos((center.lat * Math.PI) / 180);
  const lines: Position[][] = [];
  for (let row = -RINGS; row <= RINGS; row++) {
    for (let column = -RINGS; column <= RINGS; column++) {
      const x = EDGE * Math.sqrt(3) * (column + (row & 1) / 2);
      const y = EDGE * 1.5 * row;
      // Three of the six edges: the neighbours draw the others.
      lines.push(
        [0, 1, 2, 3].map((corner) => {
          const angle = (Math.PI / 3) * corner + Math.PI / 6;
          return [
            center.lng + ((x + EDGE * Math.cos(angle)) * metre) / squeeze,
            center.lat + (y + EDGE * Math.sin(angle)) * metre,
          ];
        }),
      );
    }
  }
  return {
    type: 'FeatureCollection',
    features: [{ type: 'Feature', properties: {}, geometry: { type: 'MultiLineString', coordinates: lines } }],
  };
}

