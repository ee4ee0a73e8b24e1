import type { Vehicle } from '../protocol/types';

// Reports as GET /v1/reports/day gives them.
export interface Figures {
  placed: number;
  delivered: number;
  failed: number;
  cancelled: number;
  promised: number;
  late: number;
  median_assign_seconds: number;
  median_delivery_seconds: number;
}

export type HourFigures = Figures & { from: string };
export type CourierFigures = Figures & { courier: string; name: string; vehicle: Vehicle };

export interface Report {
  from: string;
  to: string;
  total: Figures;
  hours: HourFigures[];
  couriers: CourierFigures[];
}

// dayOf is the calendar day on this machine's wall that holds a time, moved by
// some days. It has 23 or 25 hours where clocks change.
export function dayOf(time: number, move = 0): { from: Date; to: Date } {
  const at = new Date(time);
  const from = new Date(at.getFullYear(), at.getMonth(), at.getDate() + move);
  return { from, to: new Date(from.getFullYear(), from.getMonth(), from.getDate() + 1) };
}

export function reportPath(from: Date, to: Date, more: Record<string, string> = {}, kind = 'day'): string {
  return `/reports/${kind}?${new URLSearchParams({ from: from.toISOString(), to: to.toISOString(), ...more })}`;
}

// onTime is the share of promises kept in percent; undefined without any.
export function onTime({ promised, late }: Figures): number | undefined {
  return promised > 0 ? (100 * (promised - late)) / promised : undefined;
}

export function isEmpty({ placed, delivered, failed, cancelled }: Figures): boolean {
  return placed + delivered + failed + cancelled === 0;
}

// busy is the part of a day's hours in which there was anything, so that a
// chart of a lunch is not lost in a night; at least so many hours.
export function busy(hours: readonly HourFigures[], least = 12): readonly HourFigures[] {
  const some = hours.map((hour) => !isEmpty(hour));
  const first = some.indexOf(true);
  if (first < 0) return hours;
  const last = some.lastIndexOf(true);
  const missing = Math.max(0, least - (last - first + 1));
  const from = Math.max(0, Math.min(first - Math.floor(missing / 2), hours.length - least));
  return hours.slice(from, Math.max(last + 1, Math.min(hours.length, from + least)));
}

// ticks are round values from 0 to at least the highest, a handful of them.
export function ticks(highest: number, about = 4): number[] {
  const rough = Math.max(highest, 1) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((by) => by * power).find((by) => by >= rough)!;
  const whole = Math.max(step, 1);
  return Array.from({ length: Math.ceil(Math.max(highest, 1) / whole) + 1 }, (_, place) => place * whole);
}
