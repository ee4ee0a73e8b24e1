import type { Bounds } from '../protocol/frames';
import type { CourierState, FleetCourier, Order, OrderStatus, Point, Vehicle } from '../protocol/types';
import { deadline, matches } from './queue';

// OrderFilter narrows a lane; an empty member lets everything through.
export interface OrderFilter {
  status: OrderStatus | '';
  merchant: string;
  // How near the deadline is, in minutes; 'none' are those without one.
  due: '' | '15' | '30' | '60' | 'none';
  vehicle: Vehicle | '';
  onMap: boolean;
}

export interface CourierFilter {
  state: CourierState | '';
  vehicle: Vehicle | '';
  onMap: boolean;
}

export const anyOrder: OrderFilter = { status: '', merchant: '', due: '', vehicle: '', onMap: false };
export const anyCourier: CourierFilter = { state: '', vehicle: '', onMap: false };

export function active(filter: OrderFilter | CourierFilter): number {
  return Object.values(filter).filter(Boolean).length;
}

export function wordsOf(search: string): string[] {
  return search.toLowerCase().split(/\s+/).filter(Boolean);
}

function within(point: Point | undefined, bounds: Bounds | undefined): boolean {
  if (!bounds) return true;
  return Boolean(point && point.lat >= bounds.south && point.lat <= bounds.north && point.lng >= bounds.west && point.lng <= bounds.east);
}

function dueWithin(order: Order, due: OrderFilter['due'], now: number): boolean {
  if (due === '') return true;
  const at = deadline(order);
  return due === 'none' ? at === undefined : at !== undefined && at - now <= Number(due) * 60_000;
}

export function filterOrders(
  orders: readonly Order[],
  filter: OrderFilter,
  search: string,
  { now, bounds, name }: { now: number; bounds?: Bounds; name: (courier: string | undefined) => string },
): readonly Order[] {
  const words = wordsOf(search);
  if (words.length === 0 && active(filter) === 0) return orders;
  return orders.filter(
    (order) =>
      (!filter.status || order.status === filter.status) &&
      (!filter.merchant || order.merchant === filter.merchant) &&
      (!filter.vehicle || order.requirements?.vehicles?.includes(filter.vehicle)) &&
      dueWithin(order, filter.due, now) &&
      (!filter.onMap || within(order.pickup.point, bounds) || within(order.dropoff.point, bounds)) &&
      matches(order, words, name(order.courier)),
  );
}

// Whoever needs a look comes first.
const rank: CourierState[] = ['stale', 'free', 'offered', 'busy', 'break', 'offline'];
const byName = new Intl.Collator();

export function filterCouriers(couriers: Iterable<FleetCourier>, filter: CourierFilter, search: string, bounds?: Bounds): FleetCourier[] {
  const words = wordsOf(search);
  return [...couriers]
    .filter(
      (courier) =>
        (!filter.state || courier.state === filter.state) &&
        (!filter.vehicle || courier.vehicle === filter.vehicle) &&
        (!filter.onMap || within(courier.fix, bounds)) &&
        words.every((word) => courier.name.toLowerCase().includes(word)),
    )
    .sort((a, b) => rank.indexOf(a.state) - rank.indexOf(b.state) || byName.compare(a.name, b.name) || (a.id < b.id ? -1 : 1));
}
