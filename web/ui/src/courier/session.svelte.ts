import { distance, placeName } from '../messages/format';
import { Connection, type Link } from '../protocol/connection';
import type { Ack, CourierAction, CourierCommand, CourierFrame, DeclineReason, FailReason, GivenProof } from '../protocol/frames';
import { Api, Problem } from '../protocol/http';
import type { Courier, Duty, Offer, Plan, ProofKind, Stop } from '../protocol/types';
import { clock, ticker } from '../stores/clock.svelte';
import type { Account } from './account';
import { call } from './device';
import { aged, foreseen, type Settled, type ShownStop } from './foresight';
import { News } from './news';
import { Notices } from './notices.svelte';
import { forget, forgetOnReturn, notify } from './notify';
import { Offers } from './offers.svelte';
import { Outbox, keptAt, type Entry, type Upload } from './outbox';
import { stopKey } from './plandiff';
import type { Picture } from './proof';
import { forgetPlan, keepClock, keepPlan, keptClock, keptPlan } from './recall';
import { durable } from './storage';
import { t } from './texts';
import { whoOf } from './who';

export type End = 'elsewhere' | 'revoked' | 'invalid';

export interface Given {
  pin?: string;
  note?: string;
  photo?: Picture;
  signature?: Picture;
}

const FLUSH = 2_000; // ms between batches of fixes
// Seconds that answers to fixes may take: what has none is kept, and costs
// nothing but room.
const PATIENCE = 10;
const UPLOAD = 60_000; // ms for a picture
// What has waited for so long without an answer is worth a word (ms).
const SLOW = 4_000;

// Session is one courier at work on this phone.
export class Session {
  link = $state.raw<Link>({ name: 'connecting' });
  courier = $state.raw<Courier>();
  plan = $state.raw<Plan>();
  queue = $state.raw<readonly Entry[]>([]);
  end = $state<End>();
  // The phone keeps nothing: what waits is lost with the page.
  forgetful = $state(false);
  // Stops whose proof was refused, and what of it.
  refusedProof = $state.raw<ReadonlyMap<string, string>>(new Map());
  readonly notices = new Notices();
  readonly offers = new Offers();
  private serverDuty = $state<Duty>('off');
  private settled = $state.raw<readonly Settled[]>([]);
  // Where what is carried was picked up: a plan names only what is to do.
  private pickups: Record<string, Stop> = {};

  private readonly own = new Set<string>();
  private readonly accepted = new Set<string>();
  // Pictures that were sent for a stop, by stop: a wrong PIN does not ask for them again.
  private readonly pictures = new Map<string, GivenProof>();
  private readonly news = new News((tone, text) => {
    this.notices.tell(tone, text);
    void notify(text, t.title, text);
  });
  private readonly api: Api;
  private readonly connection: Connection<CourierFrame>;
  private readonly outbox: Outbox;
  private timer?: ReturnType<typeof setInterval>;
  private unheed?: () => void;
  private resumed = false; // no plan has come on this connection yet

  constructor(readonly account: Account) {
    this.api = new Api(() => account.token);
    keptClock(clock);
    const kept = keptPlan(account.courier);
    if (kept) [this.plan, this.courier, this.serverDuty, this.pickups] = [kept.plan, kept.courier, kept.duty, kept.pickups ?? {}];
    const forgets = () => (this.forgetful = true);
    this.outbox = new Outbox({
      storage: durable(account.courier, forgets),
      transmit: (command) => this.connection.send(command),
      upload: (picture) => this.upload(picture),
      onUploaded: (picture, code) => code && this.notices.tell('bad', t.refused[picture.kind]),
      onChange: (entries) => (this.queue = entries),
      onFault: forgets,
    });
    this.connection = new Connection<CourierFrame>({
      path: '/v1/ws/courier',
      token: () => account.token,
      clock,
      // One change of the courier may come as several frames with one seq;
      // plans, offers and orders each carry what tells them apart.
      apply: 'any',
      patience: PATIENCE,
      onFrame: (frame) => this.receive(frame),
      onLive: () => {
        this.resumed = true;
        keepClock(clock);
        ticker.touch();
        this.outbox.restart();
      },
      onLink: (link) => {
        this.link = link;
        if (link.name === 'closed') this.end = link.code === 4409 ? 'elsewhere' : link.code === 4410 ? 'revoked' : 'invalid';
      },
    });
  }

  start(): void {
    void this.outbox.load();
    this.timer = setInterval(() => this.outbox.flush(), FLUSH);
    this.connection.start();
    this.unheed = forgetOnReturn();
  }

  stop(): void {
    clearInterval(this.timer);
    this.unheed?.();
    this.connection.stop();
  }

  // leave takes what is the courier's off this phone.
  leave(): void {
    this.stop();
    this.outbox.clear();
    forgetPlan(this.account.courier);
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
    const waiting = this.queue.map(({ command }) => command).filter((command) => command.type !== 'proof');
    const done = this.settled.filter(({ until }) => until > ticker.now).map(({ command }) => command);
    return foreseen({ plan: this.plan, done, waiting, pickups: this.pickups, capacity: this.courier?.capacity ?? Infinity });
  }

  // What the courier did and the server has not answered for longer than usual.
  get waiting(): number {
    void ticker.now; // once a second
    const actions = this.queue.filter(({ command }) => command.type !== 'fixes' && command.type !== 'proof');
    const fresh = actions.every((entry) => Date.now() - keptAt(entry) < SLOW);
    return this.link.name === 'live' && fresh ? 0 : actions.length;
  }

  // How many actions have no answer yet, however fresh.
  get unanswered(): number {
    return this.queue.filter(({ command }) => command.type !== 'fixes').length;
  }

  answering(offer: string): boolean {
    return this.queue.some(({ command }) => 'offer' in command && command.offer === offer);
  }

  setDuty(duty: Duty): void {
    if (duty === this.duty) return;
    if (duty === 'off' && this.stops.length) this.notices.tell('warn', t.refused.duty);
    else this.act({ type: 'duty', duty });
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

  // sentPicture says whether a picture of the kind has been given for a stop.
  sentPicture(stop: Stop, kind: ProofKind): boolean {
    return Boolean(this.pictures.get(stopKey(stop))?.[kind]);
  }

  complete(stop: Stop, given: Given = {}): void {
    const key = stopKey(stop);
    this.own.add(key);
    this.refuse(key);
    const proof: GivenProof = { ...this.pictures.get(key) };
    for (const kind of ['photo', 'signature'] as const) {
      const picture = given[kind];
      if (picture) proof[kind] = this.outbox.pushPicture(stop.order, kind, picture.media, picture.bytes);
    }
    this.pictures.set(key, { ...proof });
    if (given.pin) proof.pin = given.pin;
    if (given.note) proof.note = given.note;
    const named = Object.keys(proof).length ? { proof } : {};
    this.act({ type: 'stop.complete', order: stop.order, kind: stop.kind, at: clock.iso(), ...named });
  }

  fail(stop: Stop, reason: FailReason, note: string): void {
    for (const other of this.plan?.stops ?? []) if (other.order === stop.order) this.own.add(stopKey(other));
    const told = note ? { note } : {};
    this.act({ type: 'stop.fail', order: stop.order, kind: stop.kind, at: clock.iso(), reason, ...told });
  }

  addFix(fix: Parameters<Outbox['addFix']>[0]): void {
    this.outbox.addFix(fix);
  }

  private act(action: CourierAction): void {
    this.outbox.push(action);
  }

  private async upload({ order, id, kind, media, bytes }: Upload): Promise<string> {
    if (this.link.name !== 'live') return 'offline';
    try {
      const body = new Blob([bytes], { type: media });
      await this.api.put(`/orders/${order}/proofs/${id}?kind=${kind}`, body, AbortSignal.timeout(UPLOAD));
      return '';
    } catch (error) {
      return error instanceof Problem ? error.code : 'offline'; // it took too long
    }
  }

  private receive(frame: CourierFrame): void {
    switch (frame.type) {
      case 'ack':
        return this.answered(frame);
      case 'plan':
        return this.replan(frame.plan, frame.courier, frame.duty);
      case 'offer':
        if (this.offers.add(frame.offer)) this.announce(frame.offer);
        return;
      case 'offer.closed':
        void forget(frame.offer);
        return this.offers.close(frame.offer, frame.state, frame.reason, frame.status);
      case 'order':
        return this.news.why(frame.order, frame.status, frame.reason ?? '', frame.by);
    }
  }

  private announce(offer: Offer): void {
    call();
    const [first] = offer.stops;
    const far = offer.to_pickup === undefined ? '' : `${distance(offer.to_pickup)} ${t.offer.toPickup}`;
    void notify(offer.id, t.offer.title(offer.orders.length), [first && placeName(first), far].filter(Boolean).join(' · '));
  }

  private answered(ack: Ack): void {
    const command = this.outbox.settle(ack);
    if (!command) return;
    if (ack.ok) this.settle(command);
    else this.refused(command, ack);
    this.outbox.flush();
  }

  private settle(command: CourierCommand): void {
    if (!('order' in command)) return;
    this.settled = [...this.settled, { command, until: Infinity }];
    if (command.type !== 'stop.arrive') this.pictures.delete(stopKey(command));
  }

  private refused(command: CourierCommand, ack: Ack): void {
    if (command.type === 'fixes') return;
    if ('offer' in command) {
      for (const { offer } of this.offers.open) {
        if (offer.id === command.offer) this.offers.end(offer.id, Date.parse(offer.deadline) <= clock.now() ? 'expired' : 'withdrawn');
      }
      return;
    }
    if (command.type === 'stop.complete' || command.type === 'stop.fail') this.own.delete(stopKey(command));
    if (command.type === 'stop.complete' && ack.code === 'invalid') return this.refuse(stopKey(command), ack.detail);
    if ('order' in command && ack.by) this.news.who(command.order, ack.by);
    const who = whoOf(ack.by);
    this.notices.tell('bad', ack.code === 'not_found' ? t.refused.gone(who) : command.type === 'duty' ? t.refused.duty : t.refused.stop(who));
  }

  // refuse notes what of a stop's proof was not accepted; nothing, if it is tried again.
  private refuse(key: string, why?: string): void {
    const next = new Map(this.refusedProof);
    if (why) next.set(key, why);
    else next.delete(key);
    this.refusedProof = next;
    if (why && !why.includes('proof.pin')) this.pictures.delete(key);
  }

  private replan(plan: Plan, courier: Courier, duty: Duty): void {
    const before = this.plan;
    this.serverDuty = duty;
    this.courier = courier;
    if (this.resumed && courier.state !== 'offered') this.offers.keepNone(clock.now());
    const first = this.resumed;
    this.resumed = false;
    if (before && plan.version < before.version) return;
    if (before && plan.version !== before.version && this.news.replaced(before, plan, this.own, this.accepted)) call();
    this.plan = plan;
    this.settled = first ? [] : aged(this.settled, ticker.now);
    const known = Object.entries(this.pickups).filter(([order]) => plan.stops.some((stop) => stop.order === order));
    this.pickups = Object.fromEntries([...known, ...plan.stops.filter(({ kind }) => kind === 'pickup').map((stop) => [stop.order, stop] as const)]);
    keepPlan(this.account.courier, { plan, courier, duty, pickups: this.pickups });
  }
}
