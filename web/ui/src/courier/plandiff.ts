import type { Plan, Stop } from '../protocol/types';

export interface PlanChange {
  added: string[];
  removed: string[];
  reordered: boolean;
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
  const old = before.stops.map(stopKey).filter((key) => kept.has(key));
  const now = after.stops.map(stopKey).filter((key) => had.has(key));
  return {
    added: [...is].filter((order) => !was.has(order)),
    removed: [...new Set(gone.map((stop) => stop.order))],
    reordered: old.join() !== now.join(),
  };
}
