import { Backoff } from './backoff';
import type { ServerClock } from './clock';
import type { Auth, Beat, CourierResume, ErrorFrame, Welcome } from './frames';

export type Link =
  | { name: 'connecting' }
  | { name: 'live' }
  | { name: 'waiting'; delay: number; attempt: number }
  | { name: 'closed'; code: number; reason: string };

export interface ConnectionOptions<F extends { type: string }> {
  path: string;
  token: () => string;
  clock: ServerClock;
  onFrame: (frame: F) => void;
  onLink?: (link: Link) => void;
  onLive?: (welcome: Welcome) => void;
  onError?: (error: ErrorFrame) => void;
  // 'newer': frames at or under the last applied seq are dropped.
  // 'any': every frame is passed on and only the highest seq is kept, for
  // streams whose items carry their own versions.
  apply?: 'newer' | 'any';
  // For a courier: how many seconds the answers to its fixes may take.
  patience?: number;
  open?: (url: string) => WebSocket;
  backoff?: Backoff;
}

// The server beats every 25 s; a socket silent for so long is dead (ms).
const SILENCE = 60_000;

const FINAL = new Set([1000, 4401, 4403, 4404, 4409, 4410]);

// Connection keeps one stream alive: auth → welcome → resume → live, and again
// from the last applied seq after a loss.
export class Connection<F extends { type: string }> {
  link: Link = { name: 'connecting' };
  seq = 0;

  private socket?: WebSocket;
  private timer?: ReturnType<typeof setTimeout>;
  private watchdog?: ReturnType<typeof setTimeout>;
  private stopped = true;
  private liveSince = 0;
  private heard = 0;
  private lastError?: ErrorFrame;
  private readonly backoff: Backoff;

  constructor(private readonly options: ConnectionOptions<F>) {
    this.backoff = options.backoff ?? new Backoff();
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    globalThis.addEventListener?.('online', this.hurry);
    globalThis.addEventListener?.('offline', this.unplugged);
    globalThis.document?.addEventListener('visibilitychange', this.wake);
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    globalThis.removeEventListener?.('online', this.hurry);
    globalThis.removeEventListener?.('offline', this.unplugged);
    globalThis.document?.removeEventListener('visibilitychange', this.wake);
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    this.drop();
  }

  // send reports whether the frame went out; what must survive is queued by the caller.
  send(frame: object): boolean {
    if (this.link.name !== 'live' || this.socket?.readyState !== 1) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  // hurry skips the rest of a back-off, or replaces a socket believed dead.
  hurry = (): void => {
    if (this.stopped || this.link.name === 'closed') return;
    clearTimeout(this.timer);
    this.drop();
    this.connect();
  };

  // A device without a network is sure of it, where the socket would find out
  // after a minute.
  private unplugged = (): void => {
    if (this.socket) this.lost(4000, 'offline');
  };

  private wake = (): void => {
    if (document.visibilityState !== 'visible') return;
    // A phone that slept may hold a socket whose other end is long gone.
    if (this.link.name === 'waiting' || Date.now() - this.heard > SILENCE) this.hurry();
  };

  private connect(): void {
    this.set({ name: 'connecting' });
    this.lastError = undefined;
    const url = socketURL(this.options.path);
    const socket = (this.options.open ?? open)(url);
    this.socket = socket;
    // A handshake that hangs is as bad as one that fails.
    this.timer = setTimeout(() => socket === this.socket && this.lost(4000, 'handshake'), 15_000);
    socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', token: this.options.token() } satisfies Auth));
    socket.onmessage = (event) => {
      if (socket === this.socket) this.receive(String(event.data));
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.lost(event.code, event.reason);
    };
  }

  private receive(text: string): void {
    this.heard = Date.now();
    this.watch();
    const frame = JSON.parse(text) as F | Welcome | ErrorFrame | Beat;
    if (frame.type === 'beat') return;
    if (frame.type === 'welcome') return this.welcome(frame as Welcome);
    if (frame.type === 'error') {
      this.lastError = frame as ErrorFrame;
      this.options.onError?.(this.lastError);
      return;
    }
    const { seq } = frame as { seq?: number };
    if (seq !== undefined) {
      if (this.options.apply !== 'any' && seq <= this.seq) return;
      this.seq = Math.max(this.seq, seq);
    }
    this.options.onFrame(frame as F);
  }

  private welcome(frame: Welcome): void {
    clearTimeout(this.timer);
    this.options.clock.set(frame.now, frame.rate);
    // A server that knows less than we do has another history: start over.
    if (frame.seq < this.seq) this.seq = 0;
    this.socket?.send(JSON.stringify({ type: 'resume', seq: this.seq, patience: this.options.patience } satisfies CourierResume));
    this.liveSince = Date.now();
    this.set({ name: 'live' });
    this.options.onLive?.(frame);
  }

  private lost(code: number, reason: string): void {
    this.drop();
    if (this.stopped) return;
    if (FINAL.has(code)) {
      this.stop();
      this.set({ name: 'closed', code, reason: this.lastError?.code ?? reason });
      return;
    }
    if (this.liveSince && Date.now() - this.liveSince > 5_000) this.backoff.reset();
    this.liveSince = 0;
    const delay = code === 1001 ? Math.random() * 1_000 : this.backoff.next();
    this.set({ name: 'waiting', delay, attempt: this.backoff.attempt });
    this.timer = setTimeout(() => this.connect(), delay);
  }

  private watch(): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(this.hurry, SILENCE);
  }

  private drop(): void {
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    const socket = this.socket;
    this.socket = undefined;
    if (socket && socket.readyState <= 1) socket.close();
  }

  private set(link: Link): void {
    this.link = link;
    this.options.onLink?.(link);
  }
}

function open(url: string): WebSocket {
  return new WebSocket(url, 'dispatch.v1');
}

function socketURL(path: string): string {
  const base = globalThis.location?.href ?? 'http://localhost/';
  const url = new URL(path, base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
