import { Map as GLMap, setWorkerUrl } from 'maplibre-gl';
import type { FitBoundsOptions, StyleSpecification } from 'maplibre-gl';
import type { FeatureCollection } from 'geojson';
// The worker is a file of its own: a Content-Security-Policy need not allow blobs.
import workerURL from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import type { PageConfig, Point } from '../protocol/types';
import type { Theme } from './palette';
import { cityStyle, quietStyle } from './style';
import './map.css';

setWorkerUrl(workerURL);

const PATIENCE = 6_000; // ms for a style or its first tile

export interface MapOptions {
  label: string;
  interactive?: boolean;
  // Called after every change of style: sources, layers and images are to be put back.
  onStyle?: (map: GLMap, theme: Theme) => void;
}

export interface Engine {
  map: GLMap;
  destroy: () => void;
}

export async function createMap(container: HTMLElement, config: PageConfig, options: MapOptions): Promise<Engine> {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const theme = (): Theme => (dark.matches ? 'dark' : 'light');
  const base = config.basemap ? await basemap() : undefined;
  const remote = base || !config.map_style_url ? undefined : await styleAt(config.map_style_url);
  const local = (): StyleSpecification => (base ? cityStyle(theme(), base) : quietStyle(theme(), config.center));

  const map = new GLMap({
    container,
    style: remote ?? local(),
    center: [config.center.lng, config.center.lat],
    zoom: config.zoom || 12,
    maxPitch: 0,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    attributionControl: remote ? { compact: false } : false,
    interactive: options.interactive ?? true,
    fadeDuration: 0,
    renderWorldCopies: false,
  });
  map.touchZoomRotate.disableRotation();
  map.getCanvas().setAttribute('aria-label', options.label);
  map.on('style.load', () => options.onStyle?.(map, theme()));

  let tilesSeen = !remote;
  const giveUp = () => {
    if (tilesSeen) return;
    tilesSeen = true;
    map.setStyle(local(), { diff: false });
  };
  map.on('data', (event) => {
    if ('tile' in event && event.tile) tilesSeen = true;
  });
  map.on('error', () => {
    // Without a listener MapLibre writes every lost tile to the console.
  });
  const timer = setTimeout(giveUp, PATIENCE);

  const repaint = () => {
    if (!remote || map.getSource('lattice')) map.setStyle(local(), { diff: false });
  };
  dark.addEventListener('change', repaint);
  const resize = new ResizeObserver(() => map.resize());
  resize.observe(container);

  return {
    map,
    destroy() {
      clearTimeout(timer);
      dark.removeEventListener('change', repaint);
      resize.disconnect();
      map.remove();
    },
  };
}

export function fit(map: GLMap, points: Point[], options: FitBoundsOptions = {}): void {
  if (points.length === 0) return;
  const lats = points.map((point) => point.lat);
  const lngs = points.map((point) => point.lng);
  const { clientWidth, clientHeight } = map.getContainer();
  map.fitBounds([Math.min(...lngs), Math.min(...lats), Math.max(...lngs), Math.max(...lats)], {
    padding: Math.max(56, Math.min(clientWidth, clientHeight) / 6),
    maxZoom: 16,
    duration: calm() ? 0 : 600,
    ...options,
  });
}

export function calm(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

async function basemap(): Promise<FeatureCollection | undefined> {
  try {
    const response = await fetch('/v1/basemap');
    return response.ok ? ((await response.json()) as FeatureCollection) : undefined;
  } catch {
    return undefined;
  }
}

async function styleAt(url: string): Promise<StyleSpecification | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE), referrerPolicy: 'no-referrer' });
    return response.ok ? ((await response.json()) as StyleSpecification) : undefined;
  } catch {
    return undefined;
  }
}
