import type { GeoJSONSource, Map as GLMap } from 'maplibre-gl';
import type { Feature, FeatureCollection } from 'geojson';
import type { CellCount, FleetCourier, Order, Point } from '../protocol/types';
import { palettes, type Theme } from './palette';

// Fewer couriers than this are shown one by one at every zoom.
const MANY = 150;

const empty: FeatureCollection = { type: 'FeatureCollection', features: [] };

// addFleetLayers puts back what a change of style has taken away.
export function addFleetLayers(map: GLMap, theme: Theme): void {
  const p = palettes[theme];
  for (const id of ['cells', 'cells-label', 'trace', 'waiting', 'selected']) map.addSource(id, { type: 'geojson', data: empty });
  map.addSource('couriers', { type: 'geojson', data: empty, cluster: false, clusterRadius: 42, clusterMaxZoom: 13 });
  map.addLayer({
    id: 'cells',
    type: 'fill',
    source: 'cells',
    paint: {
      'fill-color': ['interpolate', ['linear'], ['get', 'balance'], -1, p.demand, 0, p.even, 1, p.supply],
      'fill-opacity': 0.28,
    },
  });
  map.addLayer({
    id: 'cells-line',
    type: 'line',
    source: 'cells',
    paint: { 'line-color': p.halo, 'line-width': 1.5 },
  });
  map.addLayer({
    id: 'cells-label',
    type: 'symbol',
    source: 'cells-label',
    minzoom: 11.5,
    layout: { 'icon-image': ['concat', 'cells-', ['get', 'label']], 'icon-allow-overlap': true },
  });
  map.addLayer({
    id: 'trace',
    type: 'line',
    source: 'trace',
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': p.route, 'line-width': 2.5, 'line-dasharray': [0.5, 2] },
  });
  map.addLayer({
    id: 'waiting',
    type: 'symbol',
    source: 'waiting',
    layout: { 'icon-image': 'waiting', 'icon-allow-overlap': true, 'icon-ignore-placement': true },
  });
  map.addLayer({
    id: 'couriers',
    type: 'symbol',
    source: 'couriers',
    filter: ['!', ['has', 'point_count']],
    layout: {
      'icon-image': ['concat', 'courier-', ['get', 'state']],
      'icon-size': ['interpolate', ['linear'], ['zoom'], 10, 0.7, 14, 1],
      'icon-allow-overlap': true,
      'icon-ignore-placement': true,
    },
  });
  map.addLayer({
    id: 'clusters',
    type: 'symbol',
    source: 'couriers',
    filter: ['has', 'point_count'],
    layout: {
      'icon-image': ['concat', 'cluster-', ['get', 'point_count_abbreviated']],
      'icon-allow-overlap': true,
      'icon-ignore-placement': true,
    },
  });
  map.addLayer({
    id: 'selected-ring',
    type: 'symbol',
    source: 'selected',
    layout: { 'icon-image': 'ring', 'icon-allow-overlap': true, 'icon-ignore-placement': true },
  });
  map.addLayer({
    id: 'selected',
    type: 'symbol',
    source: 'selected',
    layout: { 'icon-image': ['concat', 'courier-', ['get', 'state']], 'icon-allow-overlap': true, 'icon-ignore-placement': true },
  });
}

const clustered = new WeakMap<GeoJSONSource, boolean>();

export function showCouriers(map: GLMap, couriers: Iterable<FleetCourier>, selected?: string): void {
  const features: Feature[] = [];
  const chosen: Feature[] = [];
  for (const courier of couriers) {
    if (!courier.fix) continue;
    const feature = at(courier.fix, { id: courier.id, state: courier.state });
    if (courier.id === selected) chosen.push(feature);
    else features.push(feature);
  }
  const source = map.getSource<GeoJSONSource>('couriers');
  if (!source) return;
  const many = features.length > MANY;
  if (many !== (clustered.get(source) ?? false)) {
    clustered.set(source, many);
    source.setClusterOptions({ cluster: many, clusterRadius: 42, clusterMaxZoom: 13 });
  }
  source.setData(collection(features));
  put(map, 'selected', chosen);
}

export function showWaiting(map: GLMap, orders: Iterable<Order>): void {
  put(map, 'waiting', Array.from(orders, (order) => at(order.pickup.point, { id: order.id })));
}

export function showTrace(map: GLMap, line: Point[]): void {
  const coordinates = line.map((point) => [point.lng, point.lat]);
  const drawn: Feature[] =
    line.length > 1 ? [{ type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates } }] : [];
  put(map, 'trace', drawn);
}

export async function showCells(map: GLMap, cells: CellCount[]): Promise<void> {
  const { cellToBoundary, cellToLatLng } = await import('h3-js');
  const areas: Feature[] = [];
  const labels: Feature[] = [];
  for (const { cell, supply, demand } of cells) {
    const balance = supply + demand > 0 ? (supply - demand) / (supply + demand) : 0;
    areas.push({
      type: 'Feature',
      properties: { balance },
      geometry: { type: 'Polygon', coordinates: [cellToBoundary(cell, true)] },
    });
    const [lat, lng] = cellToLatLng(cell);
    labels.push(at({ lat, lng }, { label: `${supply}:${demand}` }));
  }
  put(map, 'cells', areas);
  put(map, 'cells-label', labels);
}

function put(map: GLMap, id: string, features: Feature[]): void {
  map.getSource<GeoJSONSource>(id)?.setData(collection(features));
}

function collection(features: Feature[]): FeatureCollection {
  return { type: 'FeatureCollection', features };
}

function at({ lat, lng }: Point, properties: Record<string, string>): Feature {
  return { type: 'Feature', properties, geometry: { type: 'Point', coordinates: [lng, lat] } };
}
