import type { Ack, CourierAction, CourierFrame, FailReason, Welcome } from '../../src/protocol/frames';
import type { Duty, Offer, Plan, Point, StopKind } from '../../src/protocol/types';

const PATIENCE = 15_000; // ms

interface Named {
  id: string;
}

// Phone is a courier's WebSocket without the pages' client, so that a fault of
// theirs cannot hide here.
export class Phone {
  plan: Plan = { version: 0, stops: [] };
  readonly offers = new Map<string, Offer>();
  private readonly acks = new Map<string, Ack>();
  private readonly waiting = new Set<() => void>();
  private socket!: WebSocket;
  private server = 0;
  private local = 0;
  private rate = 1;
  private count = 0;
  private lastFix = 0;

  static async open(url: string, token: string): Promise<Phone> {
    const phone = new Phone();
    phone.socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws/courier`, 'dispatch.v1');
    phone.socket.onopen = () => phone.say({ type: 'auth', token });
    phone.socket.onmessage = ({ data }) => phone.hear(JSON.parse(String(data)) as CourierFrame | Welcome);
    phone.socket.onclose = ({ code }) => (phone.closed = code);
    await phone.until('the welcome', () => phone.server > 0);
    return phone;
  }

  // The code with which the server closed.
  closed = 0;

  // now is the server's time in milliseconds.
  now(): number {
    return this.server + (performance.now() - this.local) * this.rate;
  }

  // send asks for something and waits for the answer, yes or no.
  async send(action: CourierAction): Promise<Ack> {
    const id = `e2e-${++this.count}-${Math.round(this.local)}`;
    this.say({ ...action, id });
    await this.until(`an answer to ${action.type}`, () => this.acks.has(id));
    return this.acks.get(id)!;
  }

  async must(action: CourierAction): Promise<void> {
    const ack = await this.send(action);
    if (!ack.ok) throw new Error(`${action.type} was refused: ${ack.code} ${ack.detail}`);
  }

  duty(duty: Duty): Promise<void> {
    return this.must({ type: 'duty', duty });
  }

  // tell sends something and waits for no answer.
  tell(action: CourierAction): void {
    this.say({ ...action, id: `e2e-${++this.count}-${Math.round(this.local)}` });
  }

  // at sends a fix; age is how long ago it was there, in seconds.
  async at(point: Point, more: { age?: number; accuracy?: number; speed?: number; heading?: number } = {}): Promise<void> {
    const { age = 0, ...rest } = more;
    // No two fixes of one courier have the same time, and a slow clock is slow.
    this.lastFix = Math.max(this.lastFix + 1, Math.floor(this.now() - age * 1000));
    const time = new Date(this.lastFix).toISOString();
    const ack = await this.send({ type: 'fixes', fixes: [{ time, ...point, accuracy: 5, ...rest }] });
    if (ack.rejected?.length) throw new Error(`the fix was rejected: ${JSON.stringify(ack.rejected)}`);
  }

  // ride sends fixes along a way, one every so many milliseconds.
  async ride(from: Point, to: Point, steps: number, pause = 500): Promise<void> {
    for (let step = 1; step <= steps; step++) {
      const part = step / steps;
      await this.at({ lat: from.lat + (to.lat - from.lat) * part, lng: from.lng + (to.lng - from.lng) * part });
      if (step < steps) await new Promise((next) => setTimeout(next, pause));
    }
  }

  // offered waits for an offer, of this order if one is named.
  async offered(order?: Named): Promise<Offer> {
    const find = () => [...this.offers.values()].find((offer) => !order || offer.orders.includes(order.id));
    await this.until('an offer', () => Boolean(find()));
    return find()!;
  }

  async accept(order?: Named): Promise<void> {
    await this.must({ type: 'offer.accept', offer: (await this.offered(order)).id });
    if (order) await this.assigned(order);
  }

  // assigned waits until the plan has the order.
  async assigned({ id }: Named): Promise<void> {
    await this.until('the order in the plan', () => this.plan.stops.some((stop) => stop.order === id));
  }

  arrive(order: Named, kind: StopKind): Promise<void> {
    return this.must({ type: 'stop.arrive', order: order.id, kind, at: this.time() });
  }

  pickUp(order: Named): Promise<void> {
    return this.must({ type: 'stop.complete', order: order.id, kind: 'pickup', at: this.time() });
  }

  deliver(order: Named, proof?: { pin?: string; note?: string }): Promise<void> {
    return this.must({ type: 'stop.complete', order: order.id, kind: 'dropoff', at: this.time(), ...(proof && { proof }) });
  }

  fail(order: Named, kind: StopKind, reason: FailReason, note?: string): Promise<void> {
    return this.must({ type: 'stop.fail', order: order.id, kind, at: this.time(), reason, ...(note && { note }) });
  }

  close(): void {
    this.socket.close();
  }

  private time(): string {
    return new Date(this.now()).toISOString();
  }

  private say(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  private hear(frame: CourierFrame | Welcome): void {
    switch (frame.type) {
      case 'welcome':
        this.server = Date.parse(frame.now);
        this.local = performance.now();
        this.rate = frame.rate;
        this.say({ type: 'resume', seq: 0 });
        break;
      case 'ack':
        this.acks.set(frame.id, frame);
        break;
      case 'plan':
        this.plan = frame.plan;
        break;
      case 'offer':
        this.offers.set(frame.offer.id, frame.offer);
        break;
      case 'offer.closed':
        this.offers.delete(frame.offer);
        break;
    }
    for (const look of this.waiting) look();
  }

  private async until(what: string, done: () => boolean): Promise<void> {
    if (done()) return;
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!done()) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`the courier waits for ${what} (closed: ${this.closed})`));
      }, PATIENCE);
      this.waiting.add(look);
    });
  }
}
