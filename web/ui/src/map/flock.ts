import type { CourierState, Point } from '../protocol/types';
import { mercatorX, mercatorY } from './mercator';

export const states: CourierState[] = ['free', 'offered', 'busy', 'break', 'stale', 'offline'];

const SHORTEST = 300;
const LONGEST = 6_000; // ms of one glide
const FAR = 5e-5; // of the world, about 2 km: nobody rides that between two fixes

// Flock knows where each of thousands of couriers is drawn at any moment. It
// is kept in typed arrays, a slot for each courier, so that a second's news is
// written without making garbage, and it carries each from fix to fix at the
// pace its fixes come.
export class Flock {
  count = 0;
  ids: string[] = [];
  state = new Uint8Array(0);
  private fromX = new Float64Array(0);
  private fromY = new Float64Array(0);
  private toX = new Float64Array(0);
  private toY = new Float64Array(0);
  private start = new Float64Array(0); // ms
  private length = new Float64Array(0); // ms
  private round = new Uint32Array(0);
  private places: (Point | undefined)[] = [];
  private readonly slots = new Map<string, number>();
  private current = 0;
  private arrived = 0; // when the last glide ends

  constructor(private readonly still: () => boolean = () => false) {}

  // update takes everyone who is to be seen, live; who is not named any more goes.
  update<T extends { id: string; state: CourierState; fix?: Point }>(couriers: Iterable<T>, now: number): void {
    this.begin();
    for (const courier of couriers) {
      if (!courier.fix) continue;
      const slot = this.take(courier.id, states.indexOf(courier.state));
      // A fix is replaced, never changed: the same one has not moved.
      if (this.places[slot] !== courier.fix) this.aim(slot, courier.fix, now);
    }
    this.end();
  }

  // begin, place and end are update for a moment of the past: each courier is
  // where it is said to be, without a glide.
  begin(): void {
    this.current++;
  }

  place(id: string, state: number, x: number, y: number): void {
    const slot = this.take(id, state);
    this.places[slot] = undefined;
    this.fromX[slot] = this.toX[slot] = x;
    this.fromY[slot] = this.toY[slot] = y;
  }

  end(): void {
    for (let slot = this.count - 1; slot >= 0; slot--) if (this.round[slot] !== this.current) this.drop(slot);
  }

  slot(id: string | undefined): number {
    return id === undefined ? -1 : (this.slots.get(id) ?? -1);
  }

  moving(now: number): boolean {
    return now < this.arrived;
  }

  // fastest is the greatest speed of those on their way within a part of the
  // world, in its width a ms.
  fastest(now: number, west: number, north: number, east: number, south: number): number {
    if (!this.moving(now)) return 0;
    let most = 0;
    for (let slot = 0; slot < this.count; slot++) {
      const length = this.length[slot]!;
      if (now >= this.start[slot]! + length) continue;
      const [fromX, fromY, toX, toY] = [this.fromX[slot]!, this.fromY[slot]!, this.toX[slot]!, this.toY[slot]!];
      if (Math.max(fromX, toX) < west || Math.min(fromX, toX) > east || Math.max(fromY, toY) < north || Math.min(fromY, toY) > south) continue;
      most = Math.max(most, Math.hypot(toX - fromX, toY - fromY) / length);
    }
    return most;
  }

  // within counts those on their way to a part of the world, without hidden ones.
  within(west: number, north: number, east: number, south: number, hidden: Uint8Array): number {
    let count = 0;
    for (let slot = 0; slot < this.count; slot++) {
      const [x, y] = [this.toX[slot]!, this.toY[slot]!];
      if (!hidden[slot] && x >= west && x <= east && y >= north && y <= south) count++;
    }
    return count;
  }

  x(slot: number, now: number): number {
    const from = this.fromX[slot]!;
    return from + (this.toX[slot]! - from) * this.part(slot, now);
  }

  y(slot: number, now: number): number {
    const from = this.fromY[slot]!;
    return from + (this.toY[slot]! - from) * this.part(slot, now);
  }

  targetX(slot: number): number {
    return this.toX[slot]!;
  }

  targetY(slot: number): number {
    return this.toY[slot]!;
  }

  // write puts one courier's way into a buffer: from and to as seen from an
  // origin, when it set out (s, before now it is negative), and one over how
  // long it takes.
  write(slot: number, into: Float32Array, at: number, originX: number, originY: number, now: number): void {
    into[at] = this.fromX[slot]! - originX;
    into[at + 1] = this.fromY[slot]! - originY;
    into[at + 2] = this.toX[slot]! - originX;
    into[at + 3] = this.toY[slot]! - originY;
    into[at + 4] = (this.start[slot]! - now) / 1000;
    into[at + 5] = 1000 / this.length[slot]!;
  }

  private part(slot: number, now: number): number {
    return Math.min(1, Math.max(0, (now - this.start[slot]!) / this.length[slot]!));
  }

  private aim(slot: number, to: Point, now: number): void {
    const first = this.places[slot] === undefined;
    this.places[slot] = to;
    const x = mercatorX(to.lng);
    const y = mercatorY(to.lat);
    if (!first && x === this.toX[slot] && y === this.toY[slot]) return;
    const fromX = this.x(slot, now);
    const fromY = this.y(slot, now);
    const jump = first || this.still() || Math.abs(x - fromX) > FAR || Math.abs(y - fromY) > FAR;
    // A little longer than the last fix took to come: the next finds it on its way.
    const interval = Math.min(LONGEST, Math.max(SHORTEST, (now - this.start[slot]!) * 1.1));
    this.length[slot] = first ? SHORTEST : interval;
    this.start[slot] = now;
    this.fromX[slot] = jump ? x : fromX;
    this.fromY[slot] = jump ? y : fromY;
    this.toX[slot] = x;
    this.toY[slot] = y;
    if (!jump) this.arrived = Math.max(this.arrived, now + interval);
  }

  private take(id: string, state: number): number {
    const slot = this.slots.get(id) ?? this.add(id);
    this.round[slot] = this.current;
    this.state[slot] = state;
    return slot;
  }

  private add(id: string): number {
    if (this.count === this.state.length) this.grow(Math.max(256, this.count * 2));
    const slot = this.count++;
    this.ids[slot] = id;
    this.places[slot] = undefined;
    this.start[slot] = 0;
    this.length[slot] = SHORTEST;
    this.slots.set(id, slot);
    return slot;
  }

  // drop moves the last courier into the place of one that has gone.
  private drop(slot: number): void {
    const last = --this.count;
    this.slots.delete(this.ids[slot]!);
    if (slot !== last) {
      this.ids[slot] = this.ids[last]!;
      this.places[slot] = this.places[last];
      this.slots.set(this.ids[slot]!, slot);
      for (const list of this.lists()) list[slot] = list[last]!;
    }
    this.ids.length = last;
    this.places.length = last;
  }

  private lists() {
    return [this.state, this.fromX, this.fromY, this.toX, this.toY, this.start, this.length, this.round];
  }

  private grow(room: number): void {
    const larger = <T extends Float64Array | Uint8Array | Uint32Array>(list: T, made: T): T => (made.set(list), made);
    this.state = larger(this.state, new Uint8Array(room));
    this.fromX = larger(this.fromX, new Float64Array(room));
    this.fromY = larger(this.fromY, new Float64Array(room));
    this.toX = larger(this.toX, new Float64Array(room));
    this.toY = larger(this.toY, new Float64Array(room));
    this.start = larger(this.start, new Float64Array(room));
    this.length = larger(this.length, new Float64Array(room));
    this.round = larger(this.round, new Uint32Array(room));
  }
}
