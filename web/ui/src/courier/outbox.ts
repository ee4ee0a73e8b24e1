import type { Ack, CourierAction, CourierCommand } from '../protocol/frames';
import type { Fix, ProofKind } from '../protocol/types';

// Upload is a picture on its way: it goes over HTTP, before what names it.
export interface Upload {
  type: 'proof';
  id: string;
  order: string;
  kind: ProofKind;
  media: string;
  bytes: ArrayBuffer;
}

export type Item = CourierCommand | Upload;

export interface Entry {
  key: string; // milliseconds by this phone's clock, or later, and the page: sorted, it is the order of time
  command: Item;
}

export interface Storage {
  all(): Promise<Entry[]>;
  put(entry: Entry): Promise<void>;
  delete(key: string): Promise<void>;
  clear(): Promise<void>;
}

export const FIXES_A_FRAME = 200;
const IN_FLIGHT = 32;
// Refusals that say "not now": the item stays and is sent again.
const AGAIN = new Set(['rate_limited', 'unavailable', 'internal', 'in_progress', 'offline', 'unauthenticated']);

export interface OutboxOptions {
  storage: Storage;
  transmit: (command: CourierCommand) => boolean;
  // upload resolves to '' once the picture is kept, else to a code.
  upload?: (picture: Upload) => Promise<string>;
  newID?: () => string;
  onChange?: (entries: readonly Entry[]) => void;
  onUploaded?: (picture: Upload, code: string) => void;
  // The phone does not keep what is put here: it lives as long as the page.
  onFault?: (error: unknown) => void;
}

// Outbox keeps what the courier did until the server has answered: in order,
// across losses of the network and of the page. Ids are given once, so sending
// twice does nothing twice.
export class Outbox {
  entries: Entry[] = [];
  private loaded = false;
  private fixesFrom = 0; // when fixes may go again, as Date.now()
  private readonly sent = new Set<string>();
  private last = 0;
  // Another page of the same courier on this phone must not get the same keys.
  private readonly page = randomID();
  private readonly newID: () => string;

  constructor(private readonly options: OutboxOptions) {
    this.newID = options.newID ?? randomID;
  }

  async load(): Promise<void> {
    const all = await this.options.storage.all();
    const fresh = this.entries;
    const stored = all.filter(({ key }) => !fresh.some((entry) => entry.key === key)).sort(byKey);
    // What was pushed while loading comes after what was stored.
    this.last = Math.max(this.last, ...stored.slice(-1).map(keptAt));
    this.entries = stored;
    for (const entry of fresh) {
      this.kept(this.options.storage.delete(entry.key));
      this.append(entry.command);
    }
    this.loaded = true;
    this.changed();
    this.flush();
  }

  push(action: CourierAction): string {
    const id = this.newID();
    this.append({ ...action, id });
    this.changed();
    this.flush();
    return id;
  }

  // pushPicture returns the id by which an action may name the picture.
  pushPicture(order: string, kind: ProofKind, media: string, bytes: ArrayBuffer): string {
    const id = this.newID();
    this.append({ type: 'proof', id, order, kind, media, bytes });
    this.changed();
    return id;
  }

  // addFix joins the last batch while that is still unsent, so a long way
  // without network becomes few frames.
  addFix(fix: Fix): void {
    const last = this.entries.at(-1);
    if (last?.command.type === 'fixes' && !this.sent.has(last.key) && last.command.fixes.length < FIXES_A_FRAME) {
      last.command.fixes.push(fix);
      this.kept(this.options.storage.put(last));
      return;
    }
    this.append({ type: 'fixes', id: this.newID(), fixes: [fix] });
    this.changed();
  }

  // restart is for a new connection: whatever has no answer yet goes out again.
  restart(): void {
    this.fixesFrom = 0;
    for (const entry of this.entries) if (entry.command.type !== 'proof') this.sent.delete(entry.key);
    this.flush();
  }

  // flush sends what may go: an action not before the pictures ahead of it, a
  // picture not before the actions ahead of it. Fixes wait for nothing.
  flush(): void {
    if (!this.loaded) return; // what was done before this page opened goes first
    const holding = Date.now() < this.fixesFrom;
    let actions = 0;
    let held = false;
    for (const entry of [...this.entries]) {
      const { command } = entry;
      if (command.type === 'proof') {
        if (!held && actions === 0) this.upload(entry, command);
        held = true;
        continue;
      }
      if (command.type !== 'fixes') {
        if (held) continue;
        actions++;
      } else if (holding) continue;
      if (this.sent.has(entry.key)) continue;
      if (this.sent.size >= IN_FLIGHT || !this.options.transmit(command)) return;
      this.sent.add(entry.key);
    }
  }

  // settle takes the answer and returns the command it ends, if it ends one.
  settle(ack: Ack): CourierCommand | undefined {
    const entry = this.entries.find(({ command }) => command.id === ack.id);
    if (!entry || entry.command.type === 'proof') return undefined;
    this.sent.delete(entry.key);
    if (!ack.ok && ack.code && AGAIN.has(ack.code)) {
      // A server with too much to do says when it wants fixes again.
      if (entry.command.type === 'fixes' && ack.retry_after) this.fixesFrom = Date.now() + ack.retry_after * 1_000;
      return undefined;
    }
    this.remove(entry);
    return entry.command;
  }

  clear(): void {
    this.entries = [];
    this.sent.clear();
    this.kept(this.options.storage.clear());
    this.changed();
  }

  private upload(entry: Entry, picture: Upload): void {
    if (!this.options.upload || this.sent.has(entry.key)) return;
    this.sent.add(entry.key);
    void this.options.upload(picture).then((code) => {
      this.sent.delete(entry.key);
      if (!this.entries.includes(entry) || AGAIN.has(code)) return; // the next flush tries again
      this.remove(entry);
      this.options.onUploaded?.(picture, code);
      this.flush();
    });
  }

  private append(command: Item): void {
    this.last = Math.max(this.last + 1, Date.now());
    const entry = { key: `${String(this.last).padStart(15, '0')} ${this.page}`, command };
    this.entries.push(entry);
    this.kept(this.options.storage.put(entry));
  }

  private remove(entry: Entry): void {
    this.entries = this.entries.filter((other) => other !== entry);
    this.kept(this.options.storage.delete(entry.key));
    this.changed();
  }

  private kept(work: Promise<void>): void {
    work.catch((error: unknown) => this.options.onFault?.(error));
  }

  private changed(): void {
    this.options.onChange?.([...this.entries]);
  }
}

// keptAt is when the entry was put into the queue, ms by this phone's clock.
export function keptAt({ key }: Entry): number {
  return Number.parseInt(key, 10);
}

function byKey(one: Entry, other: Entry): number {
  return one.key < other.key ? -1 : 1;
}

function randomID(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
