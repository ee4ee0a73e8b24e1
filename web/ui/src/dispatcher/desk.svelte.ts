import type { FleetCourier, Order } from '../protocol/types';
import type { Action } from './actions';
import { Deeds } from './deeds.svelte';
import { anyCourier, anyOrder, filterCouriers, filterOrders, type CourierFilter, type OrderFilter } from './filters';
import { Fleet, type Selection } from './fleet.svelte';
import { Notices } from './notices.svelte';
import type { Lane } from './queue';

export type Tab = Lane | 'couriers';
export const tabs: Tab[] = ['unassigned', 'at_risk', 'active', 'done', 'couriers'];

export type Pane = 'queue' | 'map' | 'details' | 'alerts';

// Asking is the dialog that is open.
export type Asking =
  | { what: 'action'; action: Action; order: Order; courier?: string; reason?: string }
  | { what: 'link'; order: Order }
  | { what: 'order' }
  | { what: 'courier'; id?: string }
  | { what: 'keys' };

// Desk is how one dispatcher looks at the fleet, and what is being done to it.
export class Desk {
  readonly fleet: Fleet;
  readonly notices = new Notices();
  readonly deeds: Deeds;

  tab = $state<Tab>('unassigned');
  words = $state('');
  orderFilter = $state.raw<OrderFilter>(anyOrder);
  courierFilter = $state.raw<CourierFilter>(anyCourier);
  pane = $state<Pane>('queue');
  page = $state<'board' | 'reports'>('board');
  alertsOpen = $state(false);
  asking = $state.raw<Asking>();

  // A desk opened again after a session has ended is where it was left.
  constructor(token: string, onRefused: (code: number) => void, left?: Desk) {
    this.fleet = new Fleet(token, onRefused);
    this.deeds = new Deeds(
      this.fleet,
      this.notices,
      (action, order, courier, reason) => (this.asking = { what: 'action', action, order, courier, reason }),
      (order) => this.choose('order', order),
    );
    if (!left) return;
    this.tab = left.tab;
    this.words = left.words;
    this.orderFilter = left.orderFilter;
    this.courierFilter = left.courierFilter;
    this.pane = left.pane;
    this.page = left.page;
    this.fleet.selection = left.fleet.selection;
  }

  start(): void {
    this.fleet.start();
    addEventListener('pagehide', this.leave);
  }

  stop(): void {
    globalThis.removeEventListener?.('pagehide', this.leave);
    this.deeds.stop();
    this.fleet.stop();
  }

  private leave = (): void => this.deeds.flush();

  orders = $derived.by(() => {
    if (this.tab === 'couriers') return [];
    return filterOrders(this.fleet.lanes[this.tab], this.orderFilter, this.words, {
      now: this.fleet.slowNow,
      bounds: this.fleet.bounds,
      name: (courier) => (courier && this.fleet.couriers.get(courier)?.name) || '',
    });
  });

  couriers = $derived.by<FleetCourier[]>(() => {
    if (this.tab !== 'couriers') return [];
    void this.fleet.couriersRevision;
    return filterCouriers(this.fleet.couriers.values(), this.courierFilter, this.words, this.fleet.bounds);
  });

  choose(kind: Selection['kind'], id: string): void {
    this.fleet.select(kind, id);
    this.alertsOpen = false;
    this.page = 'board';
    this.pane = 'details';
  }

  close(): void {
    this.fleet.selection = undefined;
    if (this.pane === 'details') this.pane = 'queue';
  }

  show(tab: Tab): void {
    this.tab = tab;
    this.page = 'board';
    this.pane = 'queue';
  }

  // selected is the order in the drawer.
  get selected(): Order | undefined {
    const { selection } = this.fleet;
    return selection?.kind === 'order' ? this.fleet.order(selection.id) : undefined;
  }

  // act asks for whatever an action still needs.
  act(action: Action, order = this.selected): void {
    if (order && this.fleet.mayAct && !this.fleet.isForeseen(order.id)) this.asking = { what: 'action', action, order };
  }
}
