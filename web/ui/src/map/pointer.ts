import type { Map as GLMap, MapMouseEvent } from 'maplibre-gl';
import { calm } from './engine';
import type { Draft, Picked } from './fleet-map';
import { pointAt } from './mercator';
import type { Hit, Overlay } from './overlay';

export interface PointerHooks {
  draft: () => Draft | undefined;
  describe: (kind: 'courier' | 'order', id: string) => string;
  pick: (kind: Picked, id: string) => void;
  // Someone has taken the map into their own hands.
  taken: () => void;
}

// wirePointer makes marks be found, named and chosen. While an area is edited
// the map is for that alone.
export function wirePointer(map: GLMap, overlay: Overlay, tip: HTMLElement, hooks: PointerHooks): void {
  const onMap = (event: MapMouseEvent) => event.originalEvent.target === map.getCanvas();
  const hitAt = (event: MapMouseEvent): Hit | undefined =>
    onMap(event) && !hooks.draft() ? overlay.at(event.point.x, event.point.y, performance.now()) : undefined;

  map.on('click', (event) => {
    if (hooks.draft() || !onMap(event)) return;
    const hit = hitAt(event);
    if (hit?.kind === 'group') {
      hooks.taken();
      map.easeTo({ center: pointAt(hit.x, hit.y), zoom: map.getZoom() + 2, duration: calm() ? 0 : 400 });
    } else if (hit) {
      hooks.pick(hit.kind, hit.id);
    } else {
      const zone = map.getLayer('zones') && map.queryRenderedFeatures(event.point, { layers: ['zones'] })[0];
      if (zone) hooks.pick('zone', String(zone.properties['id']));
    }
  });
  map.on('mousemove', (event) => {
    const hit = map.isMoving() ? undefined : hitAt(event);
    map.getCanvas().style.cursor = hooks.draft()?.drawing ? 'crosshair' : hit ? 'pointer' : '';
    const words = hit && hit.kind !== 'group' ? hooks.describe(hit.kind, hit.id) : '';
    tip.textContent = words;
    tip.hidden = !words;
    if (words) tip.style.translate = `${event.point.x + 14}px ${event.point.y + 14}px`;
  });
  map.on('mouseout', () => (tip.hidden = true));
  map.on('movestart', (event) => {
    tip.hidden = true;
    if (event.originalEvent) hooks.taken();
  });
  // While the map moves by itself, a hand on it starts no movement of its own.
  map.on('wheel', hooks.taken);
  map.on('dragstart', hooks.taken);
}
