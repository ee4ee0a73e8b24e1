import { mercatorX, mercatorY } from '../map/mercator';
import type { CourierState, Duty, OrderStatus, ReplayCourier, ReplayOrder, Vehicle } from '../protocol/types';

// What was where and when, on a day that is played back. Times are seconds
// after the day's start.

const SILENT = 60; // s without a fix: the courier counted as not heard from
const GONE = 30 * 60; // and as gone

// Track is where one courier went.
export interface Track {
  id: string;
  name: string;
  vehicle: Vehicle;
  at: Float64Array;
  x: Float64Array; // of the world
  y: Float64Array;
  dutyAt: Float64Array;
  duty: Duty[]; // from each of these times on
}

// unpack adds up the differences of a way that starts counting at `from`.
export function unpack({ id, name, vehicle, way, duty = [] }: ReplayCourier, from: number): Track {
  const count = way.at.length;
  const dutyAt = Float64Array.from(duty, (change) => from + change.at);
  const duties = duty.map((change) => change.duty);
  const track: Track = { id, name, vehicle, at: new Float64Array(count), x: new Float64Array(count), y: new Float64Array(count), dutyAt, duty: duties };
  let [at, lat, lng] = [from, 0, 0];
  for (let i = 0; i < count; i++) {
    at += way.at[i]!;
    lat += way.lat[i]!;
    lng += way.lng[i]!;
    track.at[i] = at;
    track.x[i] = mercatorX(lng / 1e5);
    track.y[i] = mercatorY(lat / 1e5);
  }
  return track;
}

// seen is the place of the last sample at or before a time, -1 before the first.
export function seen(at: Float64Array, time: number): number {
  let [low, high] = [0, at.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export interface Where {
  x: number;
  y: number;
  silent: boolean;
}

// dutyAt is what duty a courier had; days that are older than the record of
// duties do not tell.
export function dutyAt({ dutyAt: at, duty }: Track, time: number): Duty | undefined {
  return duty[seen(at, time)];
}

// whereAt writes where a courier was into `into`; false: it was not there, or
// off duty, when that is nobody's business.
export function whereAt(track: Track, time: number, into: Where): boolean {
  const last = seen(track.at, time);
  if (last < 0 || dutyAt(track, time) === 'off') return false;
  const next = last + 1;
  const quiet = time - track.at[last]!;
  const gap = next < track.at.length ? track.at[next]! - track.at[last]! : Infinity;
  if (quiet > GONE) return false;
  into.silent = quiet > SILENT && gap > SILENT;
  const part = gap <= SILENT ? quiet / gap : 0;
  into.x = track.x[last]! + (part && (track.x[next]! - track.x[last]!) * part);
  into.y = track.y[last]! + (part && (track.y[next]! - track.y[last]!) * part);
  return true;
}

export interface Course {
  id: string;
  name: string;
  order: ReplayOrder;
  at: Float64Array;
}

export function courseOf(order: ReplayOrder, name: string): Course {
  return { id: order.id, name, order, at: Float64Array.from(order.steps, (step) => step.at) };
}

export type Lot = 'waiting' | 'carried' | 'delivered' | 'failed';

const lots: Record<OrderStatus, Lot> = {
  placed: 'waiting',
  searching: 'waiting',
  offered: 'waiting',
  unassignable: 'waiting',
  assigned: 'carried',
  at_pickup: 'carried',
  picked_up: 'carried',
  at_dropoff: 'carried',
  delivered: 'delivered',
  failed: 'failed',
  returned: 'failed',
  cancelled: 'failed',
};

export interface Then {
  waiting: Course[];
  counts: Record<Lot, number>;
  state: Map<string, CourierState>; // of couriers with an order or an offer
}

// ordersAt is what had become of the orders at a time; ends before `since`
// are not counted any more.
export function ordersAt(courses: Course[], time: number, since = 0): Then {
  const then: Then = { waiting: [], counts: { waiting: 0, carried: 0, delivered: 0, failed: 0 }, state: new Map() };
  for (const course of courses) {
    const last = seen(course.at, time);
    if (last < 0) continue;
    const { status, courier, at } = course.order.steps[last]!;
    const lot = lots[status];
    const over = lot === 'delivered' || lot === 'failed';
    if (over && at < since) continue;
    then.counts[lot]++;
    if (lot === 'waiting') then.waiting.push(course);
    if (!courier || over) continue;
    if (lot === 'carried') then.state.set(courier, 'busy');
    else if (status === 'offered' && !then.state.has(courier)) then.state.set(courier, 'offered');
  }
  return then;
}

// stateAt is how a courier was shown, by the server's rule.
export function stateAt(track: Track, time: number, silent: boolean, then: Then): CourierState {
  if (silent) return 'stale';
  return then.state.get(track.id) ?? (dutyAt(track, time) === 'break' ? 'break' : 'free');
}

// busyness counts, for each of so many parts of a day, the orders that were
// open in it; the day is known until a time.
export function busyness(courses: Course[], length: number, parts: number, until = length): number[] {
  const counts = new Array<number>(parts).fill(0);
  const width = length / parts;
  for (const { order } of courses) {
    const last = order.steps.at(-1);
    if (!last) continue;
    const over = ['delivered', 'failed'].includes(lots[last.status]);
    const from = Math.max(0, Math.floor(order.steps[0]!.at / width));
    const to = Math.min(parts - 1, Math.floor((over ? last.at : until) / width));
    for (let part = from; part <= to; part++) counts[part]!++;
  }
  return counts;
}
