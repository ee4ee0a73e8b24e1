import type { Alert, Order, OrderStatus } from '../protocol/types';

export type Lane = 'unassigned' | 'at_risk' | 'active' | 'done';
export const lanes: Lane[] = ['unassigned', 'at_risk', 'active', 'done'];

const waiting: OrderStatus[] = ['placed', 'searching', 'offered', 'unassignable'];
const ended: OrderStatus[] = ['delivered', 'failed', 'returned', 'cancelled'];
const NEVER = Number.MAX_SAFE_INTEGER;
// With no courier, this close to its deadline an order is as good as late (ms).
const CLOSE = 15 * 60_000;

export function isWaiting(order: Order): boolean {
  return waiting.includes(order.status);
}

export function isEnded(order: Order): boolean {
  return ended.includes(order.status);
}

// Orders never change, they are replaced: what is worked out of one is kept
// with it, since a thousand are sorted four times a second.
const deadlines = new WeakMap<Order, number>();
const texts = new WeakMap<Order, string>();

export function deadline(order: Order): number | undefined {
  let due = deadlines.get(order);
  if (due === undefined) {
    const time = order.deliver_by ?? order.window?.to;
    due = time ? Date.parse(time) : NaN;
    deadlines.set(order, due);
  }
  return Number.isNaN(due) ? undefined : due;
}

// The picture is of what is open and what ended in the last hour (ms).
const KEPT = 3_600_000;

// isPast says that an order has left the picture. Goods that failed and are
// not back yet are still to be seen to.
export function isPast(order: Order, now: number): boolean {
  if (!isEnded(order) || (order.status === 'failed' && order.times?.picked_up)) return false;
  return now - endedAt(order) > KEPT;
}

export function atRisk(order: Order, now: number, alerted: ReadonlySet<string>): boolean {
  if (isEnded(order)) return false;
  if (alerted.has(order.id) || order.status === 'unassignable') return true;
  const due = deadline(order);
  if (due === undefined) return false;
  const eta = order.eta?.dropoff ? Date.parse(order.eta.dropoff) : undefined;
  return due < now || (eta !== undefined && eta > due) || (isWaiting(order) && due - now < CLOSE);
}

export function alertedOrders(alerts: Iterable<Alert>): Set<string> {
  const ids = new Set<string>();
  for (const alert of alerts) if (alert.active && alert.order && alert.kind !== 'stale_courier') ids.add(alert.order);
  return ids;
}

// sortIntoLanes: an order at risk is in its own lane and in "at risk".
export function sortIntoLanes(orders: Iterable<Order>, now: number, alerted: ReadonlySet<string>): Record<Lane, Order[]> {
  const result: Record<Lane, Order[]> = { unassigned: [], at_risk: [], active: [], done: [] };
  for (const order of orders) {
    if (isEnded(order)) result.done.push(order);
    else if (isWaiting(order)) result.unassigned.push(order);
    else result.active.push(order);
    if (atRisk(order, now, alerted)) result.at_risk.push(order);
  }
  for (const lane of ['unassigned', 'at_risk', 'active'] as const) result[lane].sort(byUrgency);
  result.done.sort((a, b) => endedAt(b) - endedAt(a) || compare(a.id, b.id));
  return result;
}

// matches looks for every one of the words, which are lower case.
export function matches(order: Order, words: string[], courierName: string): boolean {
  let text = texts.get(order);
  if (text === undefined) {
    const { reference, id, merchant, pickup, dropoff, items } = order;
    text = [reference, id, merchant, pickup.address, pickup.contact?.name, dropoff.address, dropoff.contact?.name, items]
      .filter(Boolean)
      .join(' ')
      .toLowerCase();
    texts.set(order, text);
  }
  const name = courierName.toLowerCase();
  return words.every((word) => text.includes(word) || name.includes(word));
}

// What nobody could be found for comes first, what is not due yet last.
function rank(order: Order): number {
  return order.status === 'unassignable' ? 0 : order.status === 'placed' ? 2 : 1;
}

function byUrgency(a: Order, b: Order): number {
  return (
    rank(a) - rank(b) ||
    (deadline(a) ?? NEVER) - (deadline(b) ?? NEVER) ||
    compare(a.id, b.id)
  );
}

function endedAt(order: Order): number {
  return Date.parse(order.times?.[order.status] ?? '') || 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
