import { common as commonEn, track as trackEn } from '../messages/en';
import { clockTime } from '../messages/format';
import { pick } from '../messages/locale';
import { common as commonRu, track as trackRu } from '../messages/ru';
import type { OrderStatus, View } from '../protocol/types';

export const t = pick({ en: trackEn, ru: trackRu });
export const common = pick({ en: commonEn, ru: commonRu });

export const steps = ['placed', 'assigned', 'at_pickup', 'picked_up', 'at_dropoff', 'delivered'] as const;
export type Step = (typeof steps)[number];

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

export function headline(view: View): string {
  return t.headline[view.status](nameOf(view), view.stops_before ?? 0);
}

export function detail(view: View, now: number): string[] {
  const d = t.detail;
  const lines: string[] = [];
  switch (view.status) {
    case 'placed':
      if (view.ready_at) lines.push(d.readyFrom(clockTime(view.ready_at, now)));
      break;
    case 'searching':
    case 'offered':
      lines.push(d.searching);
      break;
    case 'unassignable':
      lines.push(d.unassignable);
      break;
    case 'picked_up':
      lines.push(view.stops_before ? t.stopsBefore(view.stops_before) : t.nextStop);
      break;
    case 'delivered': {
      const at = view.steps?.delivered;
      if (at) lines.push((view.proof?.pin ? d.deliveredPin : d.deliveredAt)(clockTime(at, now)));
      if (view.proof?.note) lines.push(view.proof.note);
      break;
    }
    case 'failed':
    case 'returned':
    case 'cancelled':
      lines.push(d[view.status]);
      break;
  }
  if (view.reason && ['failed', 'returned', 'cancelled'].includes(view.status)) {
    lines.push(d.reason(common.failReasons[view.reason as keyof typeof common.failReasons] ?? view.reason));
  }
  if (view.late && view.promise && stepOf(view) < 5) lines.push(d.late(clockTime(view.promise, now)));
  return lines;
}

export function finished(view: View): boolean {
  return ['delivered', 'failed', 'returned', 'cancelled'].includes(view.status);
}
