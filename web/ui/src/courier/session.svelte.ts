import { Connection, type Link } from '../protocol/connection';
import type { Ack, CourierAction, CourierCommand, CourierFrame, DeclineReason, FailReason } from '../protocol/frames';
import type { Courier, Duty, Offer, Plan, Stop } from '../protocol/types';
import { clock, ticker } from '../stores/clock.svelte';
import type { Account } from './account';
import { call } from './device';
import { Outbox, type Entry } from './outbox';
import { planChange, stopKey } from './plandiff';
import { durable } from './storage';
import { t } from './texts';

export type End = 'elsewhere' | 'revoked' | 'invalid';

export interface Notice {
  id: number;
  tone: 'info' | 'warn' | 'bad';
  text: string;
}

export interface ShownStop extends Stop {
  pending: boolean;
}

const CACHE = 'courier.plan';
const FLUSH = 2_000; // ms between batches of fixes

// Session is one courier at work on this phone.
export class Session {
  link = $state.raw<Link>({ name: 'connecting' });
  courier = $state.raw<Courier>();
  plan = $state.raw<Plan>();
  offers = $state.raw<Offer[]>([]);
  notices = $state.raw<Notice[]>([]);
  queue = $state.raw<readonly Entry[]>([]);
  end = $state<End>();
  pinRefused = $state<string>();
  private serverDuty = $state<Duty>('off');
  // Ended here and answered, while the plan that says so is still on its way.
  private settled = $state.raw<ReadonlySet<string>>(new Set());

  private readonly own = new Set<string>();
  private readonly accepted = new Set<string>();
  private readonly closedOffers = new Set<string>();
  private readonly reasons = new Map<string, string>();
  private readonly connection: Connection<CourierFrame>;
  private outbox?: Outbox;
  private timer?: ReturnType<typeof setInterval>;
  private counter = 0;

  constructor(readonly account: Account) {
    this.recall();
    this.connection = new Connection<CourierFrame>({
      path: '/v1/ws/courier',
      token: () => account.token,
      clock,
      // One change of the courier may come as several frames with one seq;
      // plans, offers and orders each carry what tells them apart.
      apply: 'any',
      onFrame: (frame) => this.receive(frame),
      onLive: () => {
        ticker.touch();
        this.outbox?.restart();
      },
      onLink: (link) => {
        this.link = link;
        if (link.name !== 'closed') return;
        this.end = link.code === 4409 ? 'elsewhere' : link.code === 4410 ? 'revoked' : 'invalid';
      },
    });
  }

  async start(): Promise<void> {
    const outbox = new Outbox({
      storage: await durable(),
      transmit: (command) => this.connection.send(command),
      onChange: (entries) => (this.queue = entries),
    });
    await outbox.load();
    this.outbox = outbox;
    this.timer = setInterval(() => outbox.flush(), FLUSH);
    this.connection.start();
  }

  stop(): void {
    clearInterval(this.timer);
    this.connection.stop();
  }

  leave(): void {
    this.stop();
    this.outbox?.clear();
    localStorage.removeItem(CACHE);
  }

  retry(): void {
    this.connection.hurry();
  }

  get duty(): Duty {
    const asked = this.queue.findLast((entry) => entry.command.type === 'duty')?.command;
    return asked?.type === 'duty' ? asked.duty : this.serverDuty;
  }

  // The plan as it will be once everything waiting here has been sent.
  get stops(): ShownStop[] {
    const ended = new Set(this.settled);
    const arrived = new Map<string, string>();
    for (const { command } of this.queue) {
      if (command.type === 'stop.complete') ended.add(stopKey(command));
      if (command.type === 'stop.fail') ended.add(stopKey(command));
      if (command.type === 'stop.arrive') arrived.set(stopKey(command), command.at);
    }
    return (this.plan?.stops ?? [])
      .filter((stop) => !ended.has(stopKey(stop)))
      .map((stop) => {
        const at = arrived.get(stopKey(stop));
        return { ...stop, arrived_at: stop.arrived_at ?? at, pending: at !== undefined };
      });
  }

  get waiting(): number {
    return this.queue.filter((entry) => entry.command.type !== 'fixes').length;
  }

  answering(offer: string): boolean {
    return this.queue.some(({ command }) => 'offer' in command && command.offer === offer);
  }

  setDuty(duty: Duty): void {
    if (duty !== this.duty) this.act({ type: 'duty', duty });
  }

  accept(offer: Offer): void {
    for (const order of offer.orders) this.accepted.add(order);
    this.act({ type: 'offer.accept', offer: offer.id });
  }

  decline(offer: Offer, reason: DeclineReason): void {
    this.act({ type: 'offer.decline', offer: offer.id, reason });
  }

  arrive(stop: Stop): void {
    this.act({ type: 'stop.arrive', order: stop.order, kind: stop.kind, at: clock.iso() });
  }

  complete(stop: Stop, pin: string): void {
    this.own.add(stopKey(stop));
    this.pinRefused = undefined;
    const proof = pin ? { proof: { pin } } : {};
    this.act({ type: 'stop.complete', order: stop.order, kind: stop.kind, at: clock.iso(), ...proof });
  }

  fail(stop: Stop, reason: FailReason, note: string): void {
    for (const other of this.plan?.stops ?? []) if (other.order === stop.order) this.own.add(stopKey(other));
    const told = note ? { note } : {};
    this.act({ type: 'stop.fail', order: stop.order, kind: stop.kind, at: clock.iso(), reason, ...told });
  }

  addFix(fix: Parameters<Outbox['addFix']>[0]): void {
    this.outbox?.addFix(fix);
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  dropOffer(id: string): void {
    this.offers = this.offers.filter((offer) => offer.id !== id);
  }

  private act(action: CourierAction): void {
    this.outbox?.push(action);
  }

  private receive(frame: CourierFrame): void {
    switch (frame.type) {
      case 'ack':
        return this.answered(frame);
      case 'plan':
        return this.replan(frame.plan, frame.courier, frame.duty);
      case 'offer':
        if (this.closedOffers.has(frame.offer.id) || this.offers.some((offer) => offer.id === frame.offer.id)) return;
        this.offers = [...this.offers, frame.offer];
        return call();
      case 'offer.closed':
        this.closedOffers.add(frame.offer);
        if (frame.state === 'expired' || frame.state === 'withdrawn') this.tell('warn', t.offer.gone[frame.state]);
        return this.dropOffer(frame.offer);
      case 'order':
        this.reasons.set(frame.order, frame.reason ?? '');
        if (frame.status === 'cancelled') {
          this.own.add(`${frame.order}/told`);
          this.tell('warn', t.notice.cancelled(this.label(frame.order), frame.reason ?? ''));
        }
        return;
    }
  }

  private answered(ack: Ack): void {
    const command = this.outbox?.settle(ack);
    if (!command) return;
    if (ack.ok) {
      if (command.type === 'stop.complete' || command.type === 'stop.fail') {
        this.settled = new Set([...this.settled, stopKey(command)]);
      }
    } else {
      this.refused(command, ack);
    }
    this.outbox?.flush();
  }

  private refused(command: CourierCommand, ack: Ack): void {
    if (command.type === 'fixes') return;
    if (command.type === 'stop.complete' || command.type === 'stop.fail') this.own.delete(stopKey(command));
    if (command.type === 'stop.complete' && command.proof?.pin && ack.code === 'invalid') {
      this.pinRefused = stopKey(command);
      return;
    }
    if ('offer' in command) this.dropOffer(command.offer);
    this.tell('bad', t.notice.refused(ack.detail || ack.code || ''));
  }

  private replan(plan: Plan, courier: Courier, duty: Duty): void {
    const before = this.plan;
    this.serverDuty = duty;
    this.courier = courier;
    if (before && plan.version < before.version) return;
    if (before && plan.version !== before.version) this.explain(before, plan);
    this.plan = plan;
    this.settled = new Set();
    try {
      localStorage.setItem(CACHE, JSON.stringify({ plan, courier, duty }));
    } catch {
      // Without storage a restart offline starts empty.
    }
  }

  private explain(before: Plan, after: Plan): void {
    const change = planChange(before, after, this.own);
    const added = change.added.filter((order) => !this.accepted.has(order));
    if (added.length) {
      this.tell('info', t.notice.added(added.length));
      call();
    }
    for (const order of change.removed) {
      const label = this.label(order);
      // The reason may come right behind the plan that lost the order.
      setTimeout(() => {
        if (this.own.has(`${order}/told`)) return;
        const why = this.reasons.get(order);
        this.tell('warn', t.notice.removed(why ? `${label} (${why})` : label));
      }, 400);
    }
    if (change.reordered && !added.length && !change.removed.length) this.tell('info', t.notice.reordered);
  }

  private label(order: string): string {
    const stops = this.plan?.stops.filter((stop) => stop.order === order) ?? [];
    const stop = stops.find((other) => other.kind === 'dropoff') ?? stops[0];
    return stop?.address || t.stop[stop?.kind ?? 'dropoff'];
  }

  private tell(tone: Notice['tone'], text: string): void {
    const last = this.notices.at(-1);
    if (last?.text === text) return;
    this.notices = [...this.notices.slice(-2), { id: ++this.counter, tone, text }];
  }

  private recall(): void {
    try {
      const kept = JSON.parse(localStorage.getItem(CACHE) ?? 'null') as { plan: Plan; courier: Courier; duty: Duty } | null;
      if (!kept) return;
      this.plan = kept.plan;
      this.courier = kept.courier;
      this.serverDuty = kept.duty;
    } catch {
      localStorage.removeItem(CACHE);
    }
  }
}

