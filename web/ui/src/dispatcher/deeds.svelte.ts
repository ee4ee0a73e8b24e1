import { ago } from '../messages/format';
import { Problem } from '../protocol/http';
import type { Order, OrderEvent } from '../protocol/types';
import { clock } from '../stores/clock.svelte';
import { actionsFor, gives, request, type Action } from './actions';
import type { Fleet } from './fleet.svelte';
import type { Notices } from './notices.svelte';
import { inverse, isFinal, predict } from './predict';
import { actorName, d, eventDetail, eventName, nameOf, refusal } from './texts';

export interface Decided {
  action: Action;
  // As the dispatcher saw it when deciding.
  order: Order;
  reason: string;
  courier: string;
}

// What has no way back is sent after so long (ms): that is its way back.
export const GRACE = 6_000;

interface Held {
  decided: Decided;
  notice: number;
  timer: ReturnType<typeof setTimeout>;
}

// Deeds carries out what the dispatcher decides: shown at once, sent with the
// version that was seen, and taken back on the page if the server refuses.
export class Deeds {
  private readonly held = new Map<string, Held>();

  constructor(
    private readonly fleet: Fleet,
    private readonly notices: Notices,
    // Asks again, for what is now.
    private readonly ask: (action: Action, order: Order, courier: string, reason: string) => void,
    private readonly open: (order: string) => void,
  ) {}

  do(decided: Decided): void {
    const { action, order, reason, courier } = decided;
    this.fleet.foresee(predict(action, order, reason, courier, clock.now()));
    if (!isFinal(action)) return void this.send(decided);
    const notice = this.notices.show({
      tone: 'ok',
      text: this.said(decided),
      actions: [{ name: d.undo, undo: true, run: () => this.release(order.id) }],
    });
    const timer = setTimeout(() => this.sendHeld(order.id), GRACE);
    this.held.set(order.id, { decided, notice, timer });
  }

  // flush sends what still waits for second thoughts: the page is closing.
  flush(): void {
    for (const id of [...this.held.keys()]) this.sendHeld(id);
  }

  // stop forgets what was not sent.
  stop(): void {
    for (const { timer } of this.held.values()) clearTimeout(timer);
    this.held.clear();
  }

  private sendHeld(id: string): void {
    const held = this.held.get(id);
    if (!held) return;
    clearTimeout(held.timer);
    this.held.delete(id);
    this.notices.dismiss(held.notice);
    void this.send(held.decided);
  }

  private release(id: string): void {
    const held = this.held.get(id);
    if (!held) return;
    clearTimeout(held.timer);
    this.held.delete(id);
    this.fleet.forget(id);
    this.notices.show({ tone: 'ok', text: d.undone(nameOf(held.decided.order)) }, held.notice);
  }

  private async send(decided: Decided, undone = false): Promise<void> {
    const { action, order, reason, courier } = decided;
    const notice = this.notices.show({ tone: 'ok', text: undone ? d.undone(nameOf(order)) : this.said(decided) });
    const { path, body } = request(action, order, reason, courier);
    try {
      this.fleet.put(await this.fleet.api.post<Order>(path, body, true));
      this.fleet.forget(order.id);
      if (!undone && inverse(action, order, this.now(order))) {
        this.notices.show(
          {
            tone: 'ok',
            text: this.said(decided),
            actions: [{ name: d.undo, undo: true, run: () => this.undo(decided, notice) }],
          },
          notice,
        );
      }
    } catch (error) {
      this.fleet.forget(order.id);
      await this.refused(decided, error, notice);
    }
  }

  private undo(decided: Decided, notice: number): void {
    this.notices.dismiss(notice);
    const now = this.now(decided.order);
    const back = inverse(decided.action, decided.order, now);
    if (!back) {
      this.notices.show({ tone: 'bad', text: d.tooLate(nameOf(now)), actions: this.look(now) });
      return;
    }
    const reason = d.undoReason;
    this.fleet.foresee(predict(back.action, now, reason, back.courier, clock.now()));
    void this.send({ ...back, order: now, reason }, true);
  }

  private now(order: Order): Order {
    return this.fleet.certain(order.id) ?? order;
  }

  private said({ action, order, courier }: Decided): string {
    return d.did[action](nameOf(order), this.fleet.courier(courier)?.name ?? '');
  }

  private look(order: Order) {
    return [{ name: d.look, run: () => this.open(order.id) }];
  }

  private async refused(decided: Decided, error: unknown, notice: number): Promise<void> {
    const { action, order, courier, reason } = decided;
    const again = (now: Order, as = action) => () => {
      this.notices.dismiss(notice);
      this.ask(as, now, courier, reason);
    };
    const problem = error instanceof Problem ? error : undefined;
    const current = problem?.current as Order | undefined;
    const text = d.notDone[action](nameOf(order), this.fleet.courier(courier)?.name ?? '');
    if (problem?.code === 'conflict' && current?.id && current.version !== order.version) {
      this.fleet.put(current);
      const fits = actionsFor(current).find((next) => next === action || (gives(next) && gives(action)));
      const lines = await this.changes(order);
      const actions = [...(fits ? [{ name: d.anyway, run: again(current, fits) }] : []), ...this.look(current)];
      this.notices.show({ tone: 'bad', text, lines, actions }, notice);
      return;
    }
    if (current?.id) this.fleet.put(current);
    const lines = [problem?.status === 0 ? d.noConnection : refusal(problem?.message ?? String(error))];
    this.notices.show({ tone: 'bad', text, lines, actions: [{ name: d.again, run: again(current ?? order) }] }, notice);
  }

  // changes says what happened to an order since it was looked at, and who did it.
  private async changes(seen: Order): Promise<string[]> {
    const history = await this.fleet.api.get<{ events: OrderEvent[] }>(`/orders/${seen.id}/events`).catch(() => undefined);
    const since = history?.events.filter((event) => event.version > seen.version).slice(-3) ?? [];
    if (since.length === 0) return [d.changedSince];
    return since.map((event) => {
      const what = [eventName(event), eventDetail(event, this.fleet)].filter(Boolean).join(' · ');
      return d.changedBy(what, actorName(event.actor), ago((clock.now() - Date.parse(event.time)) / 1000));
    });
  }
}
