import { Connection, type Link } from '../protocol/connection';
import type { Bounds, FleetFrame } from '../protocol/frames';
import { Api } from '../protocol/http';
import type { Alert, CellCount, FleetCourier, Order, Role, Stats } from '../protocol/types';
import { clock, ticker } from '../stores/clock.svelte';
import { alertedOrders, isPast, isWaiting, sortIntoLanes } from './queue';

export type Selection = { kind: 'order' | 'courier'; id: string };

// Frames come as they like; the page is redrawn at this pace (ms).
const ORDERS_PACE = 250;
const COURIERS_PACE = 1_000;

// Fleet is the dispatcher's picture. Orders and couriers live in plain maps,
// and a revision tells what depends on them: thousands change every second.
export class Fleet {
  readonly orders = new Map<string, Order>();
  readonly couriers = new Map<string, FleetCourier>();
  private readonly alertsByID = new Map<string, Alert>();
  // Orders as they will be if the server agrees to what was just decided.
  private readonly foreseen = new Map<string, Order>();

  link = $state.raw<Link>({ name: 'connecting' });
  loaded = $state(false);
  role = $state<Role>('viewer');
  stats = $state.raw<Stats>();
  cells = $state.raw<CellCount[]>([]);
  showCells = $state(false);
  selection = $state.raw<Selection>();
  ordersRevision = $state(0);
  couriersRevision = $state(0);

  readonly api: Api;
  private readonly connection: Connection<FleetFrame>;
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private view = $state.raw<{ bounds: Bounds; zoom: number }>();
  // When the last frame came, by the server's clock and by this machine's (ms).
  heard = { server: 0, local: 0 };

  constructor(token: string, onRefused: (code: number) => void) {
    this.api = new Api(
      () => token,
      () => onRefused(4401),
    );
    this.connection = new Connection<FleetFrame>({
      path: '/v1/ws/fleet',
      token: () => token,
      clock,
      // Several frames may share one millisecond; orders carry their versions.
      apply: 'any',
      onFrame: (frame) => {
        this.heard = { server: clock.now(), local: performance.now() };
        this.apply(frame);
      },
      onLive: (welcome) => {
        this.role = welcome.role;
        ticker.touch();
        this.sendView();
      },
      onLink: (link) => {
        this.link = link;
        if (link.name === 'closed') onRefused(link.code);
      },
    });
  }

  start(): void {
    this.connection.start();
  }

  stop(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.connection.stop();
  }

  retry(): void {
    this.connection.hurry();
  }

  get mayAct(): boolean {
    return this.role === 'admin' || this.role === 'dispatcher';
  }

  alerts = $derived.by(() => {
    void this.ordersRevision;
    return [...this.alertsByID.values()].filter((alert) => alert.active).sort((a, b) => (a.time < b.time ? 1 : -1));
  });

  // Deadlines pass without a frame: the lanes are sorted again every 5 s.
  slowNow = $derived(Math.floor(ticker.now / 5_000) * 5_000);

  lanes = $derived.by(() => {
    void this.ordersRevision;
    return sortIntoLanes(this.current(), this.slowNow, alertedOrders(this.alertsByID.values()));
  });

  waiting = $derived(this.lanes.unassigned.filter(isWaiting));

  order(id: string): Order | undefined {
    void this.ordersRevision;
    return this.foreseen.get(id) ?? this.orders.get(id);
  }

  // certain is what the server said last.
  certain(id: string): Order | undefined {
    return this.orders.get(id);
  }

  private *current(): Iterable<Order> {
    for (const order of this.orders.values()) yield this.foreseen.get(order.id) ?? order;
  }

  courier(id: string | undefined): FleetCourier | undefined {
    void this.couriersRevision;
    return id ? this.couriers.get(id) : undefined;
  }

  select(kind: Selection['kind'], id: string): void {
    this.selection = { kind, id };
  }

  look(bounds: Bounds, zoom: number): void {
    this.view = { bounds, zoom };
    this.sendView();
  }

  toggleCells(): void {
    this.showCells = !this.showCells;
    if (!this.showCells) this.cells = [];
    this.sendView();
  }

  get bounds(): Bounds | undefined {
    return this.view?.bounds;
  }

  // foresee shows an order as it will be, until the server has said more or it
  // is forgotten.
  foresee(order: Order): void {
    this.foreseen.set(order.id, order);
    this.later('orders', 0);
  }

  forget(id: string): void {
    if (this.foreseen.delete(id)) this.later('orders', 0);
  }

  isForeseen(id: string): boolean {
    void this.ordersRevision;
    return this.foreseen.has(id);
  }

  // put takes an order from an answer; the stream may have been faster.
  put(order: Order): void {
    const known = this.orders.get(order.id);
    if (known && known.version > order.version) return;
    this.orders.set(order.id, order);
    const guess = this.foreseen.get(order.id);
    if (guess && guess.version < order.version) this.foreseen.delete(order.id);
    this.later('orders', ORDERS_PACE);
  }

  private sendView(): void {
    if (this.view) this.connection.send({ type: 'view', ...this.view, cells: this.showCells });
  }

  private apply(frame: FleetFrame): void {
    switch (frame.type) {
      case 'snapshot':
        if (!frame.partial) {
          this.orders.clear();
          this.foreseen.clear();
          this.couriers.clear();
          this.alertsByID.clear();
        }
        for (const order of frame.orders ?? []) this.put(order);
        for (const courier of frame.couriers ?? []) this.couriers.set(courier.id, courier);
        for (const alert of frame.alerts ?? []) this.alertsByID.set(alert.id, alert);
        this.stats = frame.stats;
        // At once, so that nobody reads of an empty list before it is there.
        this.revise('orders');
        this.revise('couriers');
        this.loaded = true;
        break;
      case 'orders':
        for (const order of frame.orders) this.put(order);
        break;
      case 'couriers':
        for (const courier of frame.couriers) this.couriers.set(courier.id, courier);
        for (const id of frame.removed ?? []) this.couriers.delete(id);
        this.later('couriers', COURIERS_PACE);
        break;
      case 'cells':
        if (this.showCells) this.cells = frame.cells;
        break;
      case 'alert':
        if (frame.alert.active) this.alertsByID.set(frame.alert.id, frame.alert);
        else this.alertsByID.delete(frame.alert.id);
        this.later('orders', ORDERS_PACE);
        break;
      case 'stats':
        this.stats = frame.stats;
        this.prune();
        break;
    }
  }

  // A page that is open for days must not hold all that it ever saw.
  private prune(): void {
    const now = clock.now();
    for (const order of this.orders.values()) {
      if (isPast(order, now) && order.id !== this.selection?.id) this.orders.delete(order.id);
    }
  }

  private later(what: 'orders' | 'couriers', pace: number): void {
    if (this.timers.has(what) && pace > 0) return;
    clearTimeout(this.timers.get(what));
    this.timers.set(
      what,
      setTimeout(() => this.revise(what), pace),
    );
  }

  private revise(what: 'orders' | 'couriers'): void {
    clearTimeout(this.timers.get(what));
    this.timers.delete(what);
    if (what === 'orders') this.ordersRevision++;
    else this.couriersRevision++;
  }
}
