import { common as commonEn } from '../messages/en/common';
import { track as trackEn } from '../messages/en/track';
import { clockRange, clockTime } from '../messages/format';
import { pick } from '../messages/locale';
import { common as commonRu } from '../messages/ru/common';
import { track as trackRu } from '../messages/ru/track';
import type { OrderStatus, View } from '../protocol/types';

export const t = pick({ en: trackEn, ru: trackRu });
export const common = pick({ en: commonEn, ru: commonRu });

export const steps = ['placed', 'assigned', 'at_pickup', 'picked_up', 'at_dropoff', 'delivered'] as const;
export type Step = (typeof steps)[number];

const MINUTE = 60_000;
const ON_PURPOSE = 3 * MINUTE; // an order ready later than this waits because it should
const LONG = 5 * MINUTE;

const reached: Record<OrderStatus, number> = {
  placed: 0,
  searching: 0,
  offered: 0,
  unassignable: 0,
  assigned: 1,
  at_pickup: 2,
  picked_up: 3,
  at_dropoff: 4,
  delivered: 5,
  failed: -1,
  returned: -1,
  cancelled: -1,
};

// stepOf is the last step reached, by index; of an order that ended otherwise,
// what its times still tell.
export function stepOf(view: View): number {
  const known = reached[view.status];
  if (known >= 0) return known;
  return steps.reduce((last, step, index) => (view.steps?.[step] ? index : last), 0);
}

export function nameOf(view: View): string {
  return view.courier?.name || t.someone;
}

export function headline(view: View, now: number): string {
  const status = searching(view) && onPurpose(view, now) ? 'placed' : view.status;
  return t.headline[status](nameOf(view), view.stops_before ?? 0);
}

export function referenceOf(view: View): string {
  return view.reference ? t.order(view.reference) : t.title;
}

// arrival is when the order comes, as far as anyone can say.
export function arrival(view: View, now: number): { label: string; range: string } | undefined {
  if (finished(view) || view.status === 'at_dropoff') return undefined;
  if (view.eta) return { label: t.arriving, range: clockRange(view.eta.from, view.eta.to, now) };
  return view.promise ? { label: t.planned, range: t.by(clockTime(view.promise, now)) } : undefined;
}

// detail is what there is to say under the headline: what happens now, and if
// it is late, why.
export function detail(view: View, now: number): string[] {
  const lines = late(view, now) ? [t.promised(clockTime(view.promise!, now)), why(view)] : [];
  return [...lines, ...happening(view, now)].filter((line, index, all) => line && all.indexOf(line) === index);
}

// late is when the promise cannot be kept any more, or is past.
export function late(view: View, now: number): boolean {
  return Boolean(view.promise) && !finished(view) && (Boolean(view.late) || Date.parse(view.promise!) < now);
}

export function finished(view: View): boolean {
  return ['delivered', 'failed', 'returned', 'cancelled'].includes(view.status);
}

function happening(view: View, now: number): string[] {
  const d = t.detail;
  const before = view.stops_before ? t.stopsBefore(view.stops_before) : '';
  switch (view.status) {
    case 'placed':
    case 'searching':
    case 'offered':
      if (view.steps?.assigned) return [d.searchingAgain];
      if (onPurpose(view, now)) return [d.readyAt(clockTime(view.ready_at!, now))];
      return [now - waitingSince(view) > LONG ? d.searchingLong : d.searching];
    case 'unassignable':
      return [d.unassignable];
    case 'assigned':
      return [before];
    case 'at_pickup':
      if (Date.parse(view.ready_at ?? '') - now > MINUTE) return [d.notReady(clockTime(view.ready_at!, now)), before];
      return [now - Date.parse(view.steps?.at_pickup ?? '') > LONG ? d.waiting(nameOf(view)) : '', before];
    case 'picked_up':
      return [before || t.nextStop];
    case 'at_dropoff':
      return [d.arrived];
    case 'delivered':
      return [];
    case 'failed':
    case 'returned':
    case 'cancelled':
      return [reasonOf(view), d[view.status]];
  }
}

function why(view: View): string {
  const because = t.lateBecause;
  switch (view.status) {
    case 'assigned':
      return view.stops_before ? because.stops(nameOf(view), view.stops_before) : because.toPickup(nameOf(view));
    case 'at_pickup':
      return t.detail.waiting(nameOf(view));
    case 'picked_up':
      return view.stops_before ? because.stops(nameOf(view), view.stops_before) : because.way;
    case 'at_dropoff':
      return '';
    default:
      return because.searching;
  }
}

function reasonOf({ reason }: View): string {
  if (!reason) return '';
  return t.failReasons[reason as keyof typeof t.failReasons] ?? t.detail.reason(reason);
}

function searching(view: View): boolean {
  return view.status === 'searching' || view.status === 'offered';
}

// The matcher lets an order wait until a courier would not have to.
function onPurpose(view: View, now: number): boolean {
  return !view.steps?.assigned && Date.parse(view.ready_at ?? '') - now > ON_PURPOSE;
}

function waitingSince(view: View): number {
  const from = view.steps?.searching ?? view.steps?.placed ?? '';
  return Math.max(Date.parse(from) || 0, Date.parse(view.ready_at ?? '') || 0);
}
