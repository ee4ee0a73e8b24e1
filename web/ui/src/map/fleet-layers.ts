import type { GeoJSONSource, Map as GLMap } from 'maplibre-gl';
import type { Feature, FeatureCollection, Geometry } from 'geojson';
import type { CellCount, Point, Zone } from '../protocol/types';
import { classOf, labelOf, shades, type CellMode } from './cells';
import { palettes, type Theme } from './palette';
import type { Label } from './overlay';
import type { Shape } from './shape';

// What lies under the couriers: it changes seldom, so it is MapLibre's.

const empty: FeatureCollection = { type: 'FeatureCollection', features: [] };

// addFleetLayers puts back what a change of style has taken away.
export function addFleetLayers(map: GLMap, theme: Theme): void {
  const p = palettes[theme];
  for (const id of ['cells', 'zones', 'trails', 'trace', 'draft']) map.addSource(id, { type: 'geojson', data: empty });
  map.addLayer({
    id: 'cells',
    type: 'fill',
    source: 'cells',
    paint: { 'fill-color': ['get', 'color'], 'fill-opacity': ['get', 'opacity'] },
  });
  map.addLayer({ id: 'cells-line', type: 'line', source: 'cells', paint: { 'line-color': p.halo, 'line-width': 1.5 } });
  const here = (yes: number, no: number) => ['case', ['get', 'chosen'], yes, no] as ['case', ['get', string], number, number];
  map.addLayer({ id: 'zones', type: 'fill', source: 'zones', paint: { 'fill-color': p.accent, 'fill-opacity': here(0.16, 0.07) } });
  map.addLayer({
    id: 'zones-line',
    type: 'line',
    source: 'zones',
    layout: { 'line-join': 'round' },
    paint: { 'line-color': p.accent, 'line-width': here(3, 1.75) },
  });
  map.addLayer({
    id: 'trails',
    type: 'line',
    source: 'trails',
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': p.route, 'line-width': 2, 'line-opacity': 0.45 },
  });
  map.addLayer({
    id: 'trace',
    type: 'line',
    source: 'trace',
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': p.route, 'line-width': 2.5, 'line-dasharray': [0.5, 2] },
  });
  map.addLayer({
    id: 'draft',
    type: 'fill',
    source: 'draft',
    filter: ['==', ['geometry-type'], 'Polygon'],
    paint: { 'fill-color': p.accent, 'fill-opacity': 0.2 },
  });
  map.addLayer({
    id: 'draft-line',
    type: 'line',
    source: 'draft',
    layout: { 'line-join': 'round', 'line-cap': 'round' },
    paint: { 'line-color': p.accent, 'line-width': 3 },
  });
}

export function showZones(map: GLMap, zones: Zone[], chosen?: string): void {
  put(map, 'zones', zones.map(({ id, area }) => feature(area as Geometry, { id, chosen: id === chosen })));
}

// showDraft draws a shape that is being edited, which may not be one yet.
export function showDraft(map: GLMap, shape?: Shape): void {
  const drawn = (shape?.polygons ?? []).map((rings): Feature => {
    const lines = rings.map((ring) => ring.map(position));
    const whole = lines.every((line) => line.length > 2);
    if (!whole) return feature({ type: 'LineString', coordinates: lines[0] ?? [] });
    return feature({ type: 'Polygon', coordinates: lines.map((line) => [...line, line[0]!]) });
  });
  put(map, 'draft', drawn);
}

export function showTrace(map: GLMap, line: Point[]): void {
  put(map, 'trace', lines([line]));
}

export function showTrails(map: GLMap, trails: Point[][]): void {
  put(map, 'trails', lines(trails));
}

// showCells colours the cells and returns the figures to be written on them.
export async function showCells(map: GLMap, cells: CellCount[], mode: CellMode, theme: Theme): Promise<Label[]> {
  // The library that knows the cells is fetched when the layer is first shown.
  const { cellToBoundary, cellToLatLng } = await import('h3-js');
  const shade = shades(mode, theme);
  const shown = cells.filter((cell) => classOf(mode, cell) >= 0);
  put(
    map,
    'cells',
    shown.map((cell) => feature({ type: 'Polygon', coordinates: [cellToBoundary(cell.cell, true)] }, { ...shade[classOf(mode, cell)]! })),
  );
  return shown.map((cell) => {
    const [lat, lng] = cellToLatLng(cell.cell);
    return { point: { lat, lng }, text: labelOf(mode, cell) };
  });
}

export function clearCells(map: GLMap): void {
  put(map, 'cells', []);
}

const shown = new WeakMap<GeoJSONSource, string>();

// put has the map painted again, whole: only where something differs.
function put(map: GLMap, id: string, features: Feature[]): void {
  const source = map.getSource<GeoJSONSource>(id);
  const text = JSON.stringify(features);
  if (!source || (shown.get(source) ?? '[]') === text) return;
  shown.set(source, text);
  source.setData({ type: 'FeatureCollection', features });
}

function lines(all: Point[][]): Feature[] {
  return all.filter((line) => line.length > 1).map((line) => feature({ type: 'LineString', coordinates: line.map(position) }));
}

function feature(geometry: Geometry, properties: Feature['properties'] = {}): Feature {
  return { type: 'Feature', properties, geometry };
}

function position({ lat, lng }: Point): [number, number] {
  return [lng, lat];
}

