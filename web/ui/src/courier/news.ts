import type { By, OrderStatus, Plan } from '../protocol/types';
import type { Notice } from './notices.svelte';
import { orderLabel, planChange } from './plandiff';
import { t } from './texts';
import { whoOf } from './who';

type Tell = (tone: Notice['tone'], text: string) => void;

// How long the frame that says why may come behind the plan that lost an order (ms).
const WHY_WITHIN = 1_500;

// News says in words what dispatch did to the plan.
export class News {
  private readonly lost = new Map<string, { label: string; timer: ReturnType<typeof setTimeout> }>();
  private readonly told = new Set<string>();

  constructor(private readonly tell: Tell) {}

  // replaced compares two plans; it returns whether there is new work. Stops
  // in `own` were ended by the courier, and orders in `accepted` it asked for.
  replaced(before: Plan, after: Plan, own: ReadonlySet<string>, accepted: ReadonlySet<string>): boolean {
    const change = planChange(before, after, own);
    const added = change.added.filter((order) => !accepted.has(order));
    if (added.length) this.tell('info', t.notice.added(added.length, added.map((order) => orderLabel(after, order)).join(' · ')));
    for (const order of change.removed) {
      const label = orderLabel(before, order);
      this.told.delete(order);
      this.lost.set(order, { label, timer: setTimeout(() => this.explain(order), WHY_WITHIN) });
    }
    if (change.reordered && !added.length && !change.removed.length) {
      this.tell('info', t.notice.reordered(change.next ? orderLabel(after, change.next.order) : ''));
    }
    return added.length > 0;
  }

  // why is told of an order that a plan has lost.
  why(order: string, status: OrderStatus, reason: string, by?: By): void {
    if (this.lost.has(order)) this.explain(order, status, reason, by);
  }

  // who is told with the answer to an action that came too late: after a
  // resume nothing else says why the plan has lost its order.
  who(order: string, by: By): void {
    if (this.lost.has(order)) this.explain(order, undefined, '', by);
  }

  private explain(order: string, status?: OrderStatus, reason = '', by?: By): void {
    const entry = this.lost.get(order);
    if (!entry || this.told.has(order)) return;
    clearTimeout(entry.timer);
    this.lost.delete(order);
    this.told.add(order);
    if (by === 'courier' && status && done.has(status)) return this.tell('info', t.notice.done(entry.label));
    const how = status === 'cancelled' ? 'cancelled' : status && carried.has(status) ? 'given' : 'removed';
    this.tell('warn', t.notice[how](entry.label, reason, whoOf(by)));
  }
}

const done: ReadonlySet<OrderStatus> = new Set(['delivered', 'returned'] as const);
const carried: ReadonlySet<OrderStatus> = new Set(['assigned', 'at_pickup', 'picked_up', 'at_dropoff', 'delivered'] as const);
