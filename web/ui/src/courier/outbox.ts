import type { Ack, CourierAction, CourierCommand } from '../protocol/frames';
import type { Fix } from '../protocol/types';

export interface Entry {
  key: number;
  command: CourierCommand;
}

export interface Storage {
  all(): Promise<Entry[]>;
  put(entry: Entry): Promise<void>;
  delete(key: number): Promise<void>;
  clear(): Promise<void>;
}

export const FIXES_A_FRAME = 200;
const IN_FLIGHT = 32;
// Refusals that say "not now": the command stays and is sent again.
const AGAIN = new Set(['rate_limited', 'unavailable', 'internal', 'in_progress']);

export interface OutboxOptions {
  storage: Storage;
  transmit: (command: CourierCommand) => boolean;
  newID?: () => string;
  onChange?: (entries: readonly Entry[]) => void;
}

// Outbox keeps what the courier did until the server has answered: in order,
// across losses of the network and of the page. Ids are given once, so sending
// twice does nothing twice.
export class Outbox {
  entries: Entry[] = [];
  private readonly sent = new Set<number>();
  private next = 1;
  private readonly newID: () => string;

  constructor(private readonly options: OutboxOptions) {
    this.newID = options.newID ?? randomID;
  }

  async load(): Promise<void> {
    const stored = (await this.options.storage.all()).sort((a, b) => a.key - b.key);
    const fresh = this.entries;
    // What was pushed while loading comes after what was stored.
    this.next = (stored.at(-1)?.key ?? 0) + 1;
    this.entries = stored;
    for (const entry of fresh) {
      void this.options.storage.delete(entry.key);
      this.append({ key: this.next++, command: entry.command });
    }
    this.changed();
  }

  push(action: CourierAction): string {
    const id = this.newID();
    this.append({ key: this.next++, command: { ...action, id } });
    this.changed();
    this.flush();
    return id;
  }

  // addFix joins the last batch while that is still unsent, so a long way
  // without network becomes few frames.
  addFix(fix: Fix): void {
    const last = this.entries.at(-1);
    if (last?.command.type === 'fixes' && !this.sent.has(last.key) && last.command.fixes.length < FIXES_A_FRAME) {
      last.command.fixes.push(fix);
      void this.options.storage.put(last);
      return;
    }
    this.append({ key: this.next++, command: { type: 'fixes', id: this.newID(), fixes: [fix] } });
    this.changed();
  }

  // restart is for a new connection: whatever has no answer yet goes out again.
  restart(): void {
    this.sent.clear();
    this.flush();
  }

  flush(): void {
    for (const entry of this.entries) {
      if (this.sent.has(entry.key)) continue;
      if (this.sent.size >= IN_FLIGHT || !this.options.transmit(entry.command)) return;
      this.sent.add(entry.key);
    }
  }

  // settle takes the answer and returns the command it ends, if it ends one.
  settle(ack: Ack): CourierCommand | undefined {
    const index = this.entries.findIndex((entry) => entry.command.id === ack.id);
    const entry = this.entries[index];
    if (!entry) return undefined;
    this.sent.delete(entry.key);
    if (!ack.ok && ack.code && AGAIN.has(ack.code)) return undefined;
    this.entries.splice(index, 1);
    void this.options.storage.delete(entry.key);
    this.changed();
    return entry.command;
  }

  clear(): void {
    this.entries = [];
    this.sent.clear();
    void this.options.storage.clear();
    this.changed();
  }

  private append(entry: Entry): void {
    this.entries.push(entry);
    void this.options.storage.put(entry);
  }

  private changed(): void {
    this.options.onChange?.([...this.entries]);
  }
}

function randomID(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
