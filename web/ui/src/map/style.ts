import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { FeatureCollection } from 'geojson';
import { palettes, type Theme } from './palette';

const none: FeatureCollection = { type: 'FeatureCollection', features: [] };

// groundStyle draws what /v1/basemap has: a made city's streets, parks and
// water, or an area's outline with the cells in it, which give movement a scale.
export function groundStyle(theme: Theme, base: FeatureCollection = none): StyleSpecification {
  const p = palettes[theme];
  return {
    version: 8,
    sources: { base: { type: 'geojson', data: base } },
    layers: [
      { id: 'background', type: 'background', paint: { 'background-color': p.outside } },
      fill('area', p.ground),
      line('cell', kindIs('cell'), p.lattice, 1, 2),
      fill('block', p.block, 13),
      fill('park', p.park),
      fill('water', p.water),
      line('water-line', kindIs('water'), p.water, 3, 8),
      street('minor', p.casing, 1.6, 9, 14),
      street('major', p.casing, 3, 14),
      street('minor', p.minor, 1, 7, 12.5),
      street('major', p.major, 1.8, 11),
      {
        id: 'area-line',
        type: 'line',
        source: 'base',
        filter: kindIs('area'),
        paint: { 'line-color': p.casing, 'line-width': 1.5, 'line-dasharray': [4, 3] },
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
