import type { Plan, Stop } from '../protocol/types';

export interface PlanChange {
  added: string[]; // orders
  removed: string[];
  reordered: boolean; // of the stops that are in both
  next?: Stop; // the first stop, where it is another one than before
}

export function stopKey(stop: Pick<Stop, 'order' | 'kind'>): string {
  return `${stop.order}/${stop.kind}`;
}

// planChange says what someone else did to the plan: stops in `own` were ended
// by the courier and are not news.
export function planChange(before: Plan, after: Plan, own: ReadonlySet<string>): PlanChange {
  const was = new Set(before.stops.map((stop) => stop.order));
  const is = new Set(after.stops.map((stop) => stop.order));
  const gone = before.stops.filter((stop) => !is.has(stop.order) && !own.has(stopKey(stop)));
  const kept = new Set(after.stops.map(stopKey));
  const had = new Set(before.stops.map(stopKey));
  // A stop that the courier has come to moves ahead: no news either.
  const came = new Set(before.stops.filter((stop) => !stop.arrived_at && arrivedIn(after, stop)).map(stopKey));
  const old = before.stops.map(stopKey).filter((key) => kept.has(key) && !came.has(key));
  const now = after.stops.map(stopKey).filter((key) => had.has(key) && !came.has(key));
  return {
    added: [...is].filter((order) => !was.has(order)),
    removed: [...new Set(gone.map((stop) => stop.order))],
    reordered: old.join() !== now.join(),
    next: old[0] !== now[0] ? after.stops[0] : undefined,
  };
}

function arrivedIn(plan: Plan, stop: Stop): boolean {
  return plan.stops.some((other) => stopKey(other) === stopKey(stop) && Boolean(other.arrived_at));
}

// orderLabel is what a person calls an order: where it goes, else where it
// comes from, else its number.
export function orderLabel(plan: Plan | undefined, order: string): string {
  const stops = plan?.stops.filter((stop) => stop.order === order) ?? [];
  const stop = stops.find((other) => other.kind === 'dropoff') ?? stops[0];
  return stop?.address || stop?.contact?.name || stop?.reference || `#${order.slice(-6)}`;
}
