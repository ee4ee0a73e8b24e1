import type { Map as GLMap } from 'maplibre-gl';
import type { Point } from '../protocol/types';
import { Flock } from './flock';
import { gather, type Group } from './groups';
import * as glyphs from './glyphs';
import { mercatorX, mercatorY, worldSize } from './mercator';
import type { Theme } from './palette';
import { markScale } from './scale';
import { short, spell } from './spell';
import { Sprites, STRIDE, type Batch, type Look } from './sprites';

export interface Spot {
  id: string;
  point: Point;
}

export interface Label {
  point: Point;
  text: string;
}

export type Hit = { kind: 'courier' | 'order' | 'group'; id: string; x: number; y: number };

const MANY = 150; // fewer couriers are shown one by one at every zoom
const GROUPED_TO = 13; // from this zoom on, everyone is
const LABELS_FROM = 10.5;
const REACH = 16; // pixels around a mark that are its own
const GLIDE = 1_000; // ms that a group takes to its new place
const STEP = 0.25; // pixels that a mark moves between two frames, at most unseen
const FRAME = 16; // ms; what is due within one is due now

// Overlay draws what moves above the map, on a canvas of its own: the map
// below is painted again only when it is moved itself.
export class Overlay {
  readonly flock: Flock;
  private readonly canvas = document.createElement('canvas');
  private readonly sprites: Sprites;
  private readonly batches: Record<string, Batch> = {};
  private readonly scratch: Record<string, Float32Array> = {};
  private orders: Spot[] = [];
  private groups = new Map<number, Group & { fromX: number; fromY: number }>();
  private member: Uint8Array = new Uint8Array(0);
  private selected?: string;
  private level = -1;
  private settled = 0; // when groups have come to rest
  private frame = 0;
  private timer?: ReturnType<typeof setTimeout>;
  private theme: Theme = 'light';
  private lost = false;

  constructor(
    private readonly map: GLMap,
    still: () => boolean,
  ) {
    this.flock = new Flock(still);
    this.canvas.className = 'overlay';
    this.sprites = new Sprites(this.canvas);
    map.getCanvas().after(this.canvas);
    this.canvas.addEventListener('webglcontextlost', this.lose);
    this.canvas.addEventListener('webglcontextrestored', this.restore);
    map.on('render', this.withMap);
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.map.off('render', this.withMap);
    this.canvas.removeEventListener('webglcontextlost', this.lose);
    this.canvas.remove();
    this.sprites.destroy();
  }

  dress(theme: Theme): void {
    this.theme = theme;
    this.sprites.dress(glyphs.atlas(theme));
    this.wake();
  }

  // couriers have moved, come, gone or changed, by the flock.
  changed(now: number, selected?: string): void {
    this.selected = selected;
    this.group(now);
    this.fillCouriers(now);
    this.wake();
  }

  showOrders(orders: Spot[]): void {
    this.orders = orders;
    this.fillPlaces('orders', orders.map(({ point }) => ({ point, glyph: glyphs.waiting, dx: 0 })));
  }

  showLabels(labels: Label[]): void {
    this.fillPlaces(
      'labels',
      labels.flatMap(({ point, text }) => spell(text).map(({ glyph, dx }) => ({ point, glyph, dx }))),
    );
  }

  // at finds the topmost mark at a place on the map, in pixels.
  at(px: number, py: number, now: number): Hit | undefined {
    const look = this.look();
    const screenX = (x: number) => (x - look.centerX) * look.size + look.width / 2;
    const screenY = (y: number) => (y - look.centerY) * look.size + look.height / 2;
    let best: Hit | undefined;
    let least = REACH;
    const take = (kind: Hit['kind'], id: string, x: number, y: number, reach: number) => {
      const away = Math.hypot(screenX(x) - px, screenY(y) - py) * (REACH / reach);
      if (away < least) [best, least] = [{ kind, id, x, y }, away];
    };
    for (const group of this.groups.values()) take('group', String(group.key), group.x, group.y, 22);
    const { flock } = this;
    for (let slot = 0; slot < flock.count; slot++) {
      if (!this.member[slot]) take('courier', flock.ids[slot]!, flock.x(slot, now), flock.y(slot, now), REACH);
    }
    if (best) return best;
    for (const { id, point } of this.orders) take('order', id, mercatorX(point.lng), mercatorY(point.lat), REACH);
    return best;
  }

  private look(): Look {
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    const center = this.map.getCenter();
    return {
      width: Math.max(1, width),
      height: Math.max(1, height),
      centerX: mercatorX(center.lng),
      centerY: mercatorY(center.lat),
      size: worldSize(this.map.getZoom()),
    };
  }

  private group(now: number): void {
    const { flock } = this;
    const level = Math.floor(this.map.getZoom());
    const same = level === this.level;
    this.level = level;
    if (level >= GROUPED_TO || flock.count < MANY) {
      this.member = new Uint8Array(flock.count);
      this.groups.clear();
      this.fillGroups(now);
      return;
    }
    const chosen = flock.slot(this.selected);
    const { groups, member } = gather(
      flock.count,
      (slot) => flock.targetX(slot),
      (slot) => flock.targetY(slot),
      level,
      (slot) => slot !== chosen && flock.state[slot] !== STALE,
      (slot) => flock.state[slot] === FREE,
    );
    this.member = member;
    const before = this.groups;
    this.groups = new Map(
      groups.map((group) => {
        const old = same ? before.get(group.key) : undefined;
        return [group.key, { ...group, fromX: old?.x ?? group.x, fromY: old?.y ?? group.y }];
      }),
    );
    this.fillGroups(now);
  }

  private fillCouriers(now: number): void {
    const { flock } = this;
    const chosen = flock.slot(this.selected);
    const [originX, originY] = this.origin();
    const into = this.room('couriers', flock.count);
    let count = 0;
    for (let slot = 0; slot < flock.count; slot++) {
      if (this.member[slot] || slot === chosen) continue;
      const at = count++ * STRIDE;
      flock.write(slot, into, at, originX, originY, now);
      put(into, at, glyphs.couriers[flock.state[slot]!]!);
    }
    this.fill('couriers', into, count, originX, originY, now);
    const mark = this.room('chosen', 2);
    if (chosen >= 0) {
      for (const [index, glyph] of [glyphs.ring, glyphs.couriers[flock.state[chosen]!]!].entries()) {
        flock.write(chosen, mark, index * STRIDE, originX, originY, now);
        put(mark, index * STRIDE, glyph);
      }
    }
    this.fill('chosen', mark, chosen >= 0 ? 2 : 0, originX, originY, now);
  }

  private fillGroups(now: number): void {
    const [originX, originY] = this.origin();
    const into = this.room('groups', this.groups.size * 6);
    let count = 0;
    for (const group of this.groups.values()) {
      const share = glyphs.groups[Math.round((group.free / group.count) * glyphs.EIGHTHS)]!;
      for (const { glyph, dx } of [{ glyph: share, dx: 0 }, ...spell(short(group.count))]) {
        const at = count++ * STRIDE;
        into.set([group.fromX - originX, group.fromY - originY, group.x - originX, group.y - originY, 0, 1], at);
        put(into, at, glyph, dx);
      }
    }
    this.fill('groups', into, count, originX, originY, now);
    this.settled = now + GLIDE;
  }

  private fillPlaces(name: string, places: { point: Point; glyph: number; dx: number }[]): void {
    const [originX, originY] = this.origin();
    const into = this.room(name, places.length);
    places.forEach(({ point, glyph, dx }, index) => {
      const x = mercatorX(point.lng) - originX;
      const y = mercatorY(point.lat) - originY;
      into.set([x, y, x, y, 0, 1], index * STRIDE);
      put(into, index * STRIDE, glyph, dx);
    });
    this.fill(name, into, places.length, originX, originY, 0);
    this.wake();
  }

  // origin is near what is looked at: from there, single precision is enough.
  private origin(): [number, number] {
    const center = this.map.getCenter();
    return [mercatorX(center.lng), mercatorY(center.lat)];
  }

  private room(name: string, count: number): Float32Array {
    const have = this.scratch[name];
    if (have && have.length >= count * STRIDE) return have;
    return (this.scratch[name] = new Float32Array(Math.max(16, Math.ceil(count * 1.5)) * STRIDE));
  }

  private fill(name: string, data: Float32Array, count: number, originX: number, originY: number, base: number): void {
    this.batches[name] = { originX, originY, base, scale: 1, fade: 1 };
    if (!this.lost) this.sprites.fill(name, data, count);
  }

  private wake(): void {
    clearTimeout(this.timer);
    if (!this.frame) this.frame = requestAnimationFrame(this.tick);
  }

  private readonly tick = (now: number): void => {
    this.frame = 0;
    // A map that moves draws this too, in the same frame: see withMap.
    if (!this.map.isMoving()) this.draw(now);
    const pause = this.pause(now);
    if (pause < FRAME) this.wake();
    else if (pause < Infinity) this.timer = setTimeout(() => this.wake(), pause);
  };

  // pause is how long (ms) nobody could see a difference: seen from far above,
  // a courier takes seconds for a pixel.
  private pause(now: number): number {
    const look = this.look();
    let fastest = this.flock.fastest(now, ...bounds(look, 0.6));
    if (now < this.settled) {
      for (const { x, y, fromX, fromY } of this.groups.values()) fastest = Math.max(fastest, Math.hypot(x - fromX, y - fromY) / GLIDE);
    }
    return fastest > 0 ? STEP / (fastest * look.size) : Infinity;
  }

  // In the same frame as the map, or the two would slide over each other.
  private readonly withMap = (): void => {
    const now = performance.now();
    if (Math.floor(this.map.getZoom()) !== this.level) {
      this.group(now);
      this.fillCouriers(now);
    }
    this.draw(now);
  };

  private draw(now: number): void {
    if (this.lost) return;
    const look = this.look();
    const zoom = this.map.getZoom();
    const inSight = this.flock.within(...bounds(look, 0.5), this.member);
    const scale = markScale(zoom, look.width * look.height, inSight);
    this.sprites.resize(look.width, look.height);
    this.sprites.clear();
    for (const name of ['labels', 'orders', 'couriers', 'groups', 'chosen']) {
      const batch = this.batches[name];
      if (!batch || (name === 'labels' && zoom < LABELS_FROM)) continue;
      batch.scale = name === 'couriers' ? scale : 1;
      this.sprites.draw(name, look, batch, now);
    }
  }

  private readonly lose = (event: Event): void => {
    event.preventDefault();
    this.lost = true;
  };

  private readonly restore = (): void => {
    this.lost = false;
    this.sprites.prepare();
    this.dress(this.theme);
    const now = performance.now();
    this.changed(now, this.selected);
    this.showOrders(this.orders);
  };
}

// bounds are west, north, east and south of what is so large a part of the
// view away from its middle, at most.
function bounds({ width, height, size, centerX, centerY }: Look, part: number): [number, number, number, number] {
  const [across, down] = [(width / size) * part, (height / size) * part];
  return [centerX - across, centerY - down, centerX + across, centerY + down];
}

const FREE = 0;
const STALE = 4;

function put(into: Float32Array, at: number, glyph: number, dx = 0): void {
  into[at + 6] = glyph;
  into[at + 7] = glyphs.extents[glyph]!;
  into[at + 8] = dx;
  into[at + 9] = 0;
}
