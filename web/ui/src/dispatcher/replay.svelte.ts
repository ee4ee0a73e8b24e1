import type { Api } from '../protocol/http';
import type { ReplayCourier, ReplayOrder } from '../protocol/types';
import { shortId } from '../messages/format';
import { pointAt } from '../map/mercator';
import { states, type Flock } from '../map/flock';
import type { Spot } from '../map/overlay';
import type { Point } from '../protocol/types';
import { busyness, courseOf, ordersAt, seen, stateAt, unpack, whereAt, type Course, type Then, type Track, type Where } from './past';

export const SPEEDS = [1, 10, 60, 300];
export const PARTS = 144; // of the day, in the outline of how busy it was

const PIECE = 15 * 60; // s of tracks fetched at once
const LEAD = 90; // s before a piece that come with it: who stood still is known
const KEPT = 6; // pieces
const TAIL = 5 * 60; // s of the way behind a courier that are drawn
const TAILS = 300; // with more couriers only the chosen one's
const ORDERS_EVERY = 0.2; // s between readings of what had become of orders

interface Page<T> {
  next: string;
  couriers?: T[];
  orders?: T[];
}

const nothing: Then = { waiting: [], counts: { waiting: 0, carried: 0, delivered: 0, failed: 0 }, state: new Map() };

// Replay plays a day back: its orders are fetched once, the couriers' tracks
// piece by piece around the time that is shown.
export class Replay {
  readonly start: number; // ms
  readonly length: number; // s
  time = $state(0); // s after start
  playing = $state(false);
  speed = $state(60);
  loading = $state(true);
  problem = $state('');
  courses = $state.raw<Course[]>([]);
  then = $state.raw<Then>(nothing);
  present = $state(0); // couriers on the map
  tick = $state(0); // grows when there is something else to draw
  private pieces = new Map<number, Track[] | 'coming'>();
  private readonly stop = new AbortController();
  private readonly where: Where = { x: 0, y: 0, silent: false };
  private frame = 0;
  private last = 0;

  // day is any moment of it, now the server's time; both in ms.
  constructor(
    private readonly api: Api,
    day: number,
    now: number,
    private readonly explain: (error: unknown) => string,
  ) {
    const from = new Date(day);
    from.setHours(0, 0, 0, 0);
    const to = new Date(from);
    to.setDate(to.getDate() + 1);
    this.start = from.getTime();
    this.length = Math.max(1, Math.min(to.getTime(), now) / 1000 - this.start / 1000);
    // Where people mostly want to look: half an hour ago, or the whole of a day.
    this.time = Math.floor(to.getTime() > now ? Math.max(0, this.length - 1800) : this.length / 2);
    void this.begin();
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    this.stop.abort();
  }

  outline = $derived.by(() => busyness(this.courses, 86_400, PARTS, this.length));

  get clock(): number {
    return this.start + this.time * 1000;
  }

  seek(time: number): void {
    this.time = Math.max(0, Math.min(this.length, time));
    this.look(true);
  }

  toggle(): void {
    this.playing = !this.playing;
    if (!this.playing) return;
    if (this.time >= this.length) this.seek(0);
    this.last = 0;
    this.frame = requestAnimationFrame(this.step);
  }

  // place puts everyone where they were.
  place(flock: Flock): void {
    const tracks = this.pieces.get(this.piece());
    if (!Array.isArray(tracks)) return;
    let count = 0;
    for (const track of tracks) {
      if (!whereAt(track, this.time, this.where)) continue;
      const state = stateAt(track, this.time, this.where.silent, this.then);
      flock.place(track.id, states.indexOf(state), this.where.x, this.where.y);
      count++;
    }
    this.present = count;
  }

  get waiting(): Spot[] {
    return this.then.waiting.map(({ id, order }) => ({ id, point: order.pickup }));
  }

  // trails are the ways behind couriers, of the chosen one the whole piece's.
  trails(chosen?: string): Point[][] {
    const tracks = this.pieces.get(this.piece());
    if (!Array.isArray(tracks)) return [];
    const some = tracks.length <= TAILS ? tracks : tracks.filter(({ id }) => id === chosen);
    return some.map((track) => this.behind(track, track.id === chosen ? Infinity : TAIL));
  }

  nameOf(id: string): string | undefined {
    const tracks = this.pieces.get(this.piece());
    return Array.isArray(tracks) ? tracks.find((track) => track.id === id)?.name : undefined;
  }

  private behind({ at, x, y }: Track, seconds: number): Point[] {
    const last = seen(at, this.time);
    const first = Math.max(0, seen(at, this.time - seconds) + 1);
    const line: Point[] = [];
    for (let i = first; i <= last; i++) line.push(pointAt(x[i]!, y[i]!));
    return line;
  }

  private piece(): number {
    return Math.floor(Math.min(this.time, this.length - 0.001) / PIECE);
  }

  private readonly step = (now: number): void => {
    if (!this.playing) return;
    const passed = this.last ? Math.min(0.25, (now - this.last) / 1000) : 0;
    this.last = now;
    // Time stands while the tracks of what comes are on their way.
    if (Array.isArray(this.pieces.get(this.piece()))) {
      this.time = Math.min(this.length, this.time + passed * this.speed);
      if (this.time >= this.length) this.playing = false;
    }
    this.look(false);
    this.frame = requestAnimationFrame(this.step);
  };

  private read = 0;
  private look(jumped: boolean): void {
    const now = performance.now() / 1000;
    if (jumped || now - this.read > ORDERS_EVERY) {
      this.read = now;
      this.then = ordersAt(this.courses, this.time);
    }
    this.tick++;
    const piece = this.piece();
    void this.fetch(piece);
    if ((this.time % PIECE) / PIECE > 0.3 && (piece + 1) * PIECE < this.length) void this.fetch(piece + 1);
  }

  private async begin(): Promise<void> {
    await this.attempt(async () => {
      const orders = await this.pages<ReplayOrder>('orders', 0, this.length, '&limit=500');
      this.courses = orders.map((order) => courseOf(order, order.reference || shortId(order.id)));
      this.look(true);
    });
  }

  private async fetch(piece: number): Promise<void> {
    if (this.pieces.has(piece)) return;
    this.pieces.set(piece, 'coming');
    if (piece === this.piece()) this.loading = true;
    await this.attempt(async () => {
      const from = piece * PIECE - LEAD;
      const to = Math.min((piece + 1) * PIECE, this.length);
      const step = this.speed > 60 ? 20 : 10;
      const couriers = await this.pages<ReplayCourier>('couriers', from, to, `&step=${step}&limit=500`);
      this.pieces.set(piece, couriers.map((courier) => unpack(courier, from)));
      this.forget(piece);
    });
    if (this.pieces.get(piece) === 'coming') this.pieces.delete(piece);
    if (piece === this.piece()) this.loading = false;
    this.tick++;
  }

  // forget keeps the pieces nearest to the one that is shown.
  private forget(piece: number): void {
    const far = [...this.pieces.keys()].sort((a, b) => Math.abs(b - piece) - Math.abs(a - piece));
    for (const other of far.slice(0, Math.max(0, far.length - KEPT))) this.pieces.delete(other);
  }

  private async pages<T>(what: 'couriers' | 'orders', from: number, to: number, more: string): Promise<T[]> {
    const time = (seconds: number) => new Date(this.start + seconds * 1000).toISOString();
    const all: T[] = [];
    let cursor = '';
    do {
      const path = `/replay/${what}?from=${time(from)}&to=${time(to)}${more}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
      const page = await this.api.get<Page<T>>(path, this.stop.signal);
      all.push(...(page[what] ?? []));
      cursor = page.next;
    } while (cursor);
    return all;
  }

  private async attempt(what: () => Promise<void>): Promise<void> {
    try {
      await what();
      this.problem = '';
    } catch (error) {
      if (this.stop.signal.aborted) return;
      this.problem = this.explain(error);
      this.playing = false;
      this.loading = false;
    }
  }
}
