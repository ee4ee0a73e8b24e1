import { Map as GLMap, setWorkerUrl } from 'maplibre-gl';
import type { FitBoundsOptions, StyleSpecification } from 'maplibre-gl';
import type { FeatureCollection } from 'geojson';
// The worker is a file of its own: a Content-Security-Policy need not allow blobs.
import workerURL from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import type { PageConfig, Point } from '../protocol/types';
import type { Theme } from './palette';
import { groundStyle } from './style';
import './map.css';

setWorkerUrl(workerURL);

const PATIENCE = 6_000; // ms for a style or its first tile
const REFUSED = 3; // errors before any tile: nothing will come
const AGAIN = 60_000; // ms until a style that could not be had is asked for again

// Base is what is under the marks: remote tiles, the made city, or the plain
// ground, because no tiles are set or because they cannot be had.
export type Base = 'tiles' | 'city' | 'plain' | 'lost';

export interface MapOptions {
  label: string;
  interactive?: boolean;
  // Called after every change of style: sources, layers and images are to be put back.
  onStyle?: (map: GLMap, theme: Theme) => void;
  onBase?: (base: Base) => void;
}

export interface Engine {
  map: GLMap;
  destroy: () => void;
}

export async function createMap(container: HTMLElement, config: PageConfig, options: MapOptions): Promise<Engine> {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const theme = (): Theme => (dark.matches ? 'dark' : 'light');
  const url = config.basemap ? '' : config.map_style_url;
  let remote = url ? await styleAt(url) : undefined;
  // The server has a ground for every map, drawn by the page alone.
  let ground = remote ? undefined : await basemap();
  const local = (): StyleSpecification => groundStyle(theme(), ground);

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
  map.keyboard.disableRotation();
  map.getCanvas().setAttribute('aria-label', options.label);
  map.on('style.load', () => options.onStyle?.(map, theme()));

  let base: Base = remote ? 'tiles' : config.basemap ? 'city' : url ? 'lost' : 'plain';
  const say = (next: Base) => options.onBase?.((base = next));
  say(base);

  let tilesSeen = false;
  let refused = 0;
  const giveUp = async () => {
    if (tilesSeen || base !== 'tiles') return;
    say('lost');
    ground ??= await basemap();
    map.setStyle(local(), { diff: false });
  };
  map.on('data', (event) => {
    if ('tile' in event && event.tile && base === 'tiles') tilesSeen = true;
  });
  map.on('error', () => {
    // Without a listener MapLibre writes every lost tile to the console.
    if (++refused === REFUSED) void giveUp();
  });
  let timer = setTimeout(giveUp, PATIENCE);

  const again = async () => {
    if (base !== 'lost') return;
    clearTimeout(timer);
    remote = await styleAt(url);
    if (!remote) {
      timer = setTimeout(again, AGAIN);
      return;
    }
    [tilesSeen, refused] = [false, 0];
    say('tiles');
    map.setStyle(remote, { diff: false });
    timer = setTimeout(giveUp, PATIENCE);
  };
  if (base === 'lost') timer = setTimeout(again, AGAIN);
  addEventListener('online', again);

  const repaint = () => {
    if (base !== 'tiles') map.setStyle(local(), { diff: false });
    else options.onStyle?.(map, theme());
  };
  dark.addEventListener('change', repaint);
  const resize = new ResizeObserver(() => map.resize());
  resize.observe(container);

  return {
    map,
    destroy() {
      clearTimeout(timer);
      removeEventListener('online', again);
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
