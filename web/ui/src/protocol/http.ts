import type { ServerClock } from './clock';

export interface ProblemBody {
  status: number;
  code: string;
  title?: string;
  detail?: string;
  errors?: { field: string; problem: string }[];
  current?: unknown;
}

// Problem is an answer that was not 2xx, or none at all (status 0, code 'offline').
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: { field: string; problem: string }[];
  readonly current: unknown;

  constructor(body: ProblemBody) {
    super(body.detail || body.title || body.code);
    this.status = body.status;
    this.code = body.code;
    this.fields = body.errors ?? [];
    this.current = body.current;
  }
}

const PATIENCE = 20_000; // ms

// A server with too much to do turns away what can be asked again, and says
// when. More often than this, and whoever looks is told; longer (s), and at once.
const TRIES = 3;
const LATER = 10;

interface More {
  headers?: Record<string, string>;
  keepalive?: boolean;
  sent?: Promise<Response>;
}

export class Api {
  constructor(
    private readonly token: () => string,
    private readonly onUnauthenticated: () => void = () => {},
  ) {}

  // sent: the request is on its way already, and this is its answer.
  get<T>(path: string, signal?: AbortSignal, sent?: Promise<Response>): Promise<T> {
    return this.call('GET', path, undefined, signal, { sent });
  }

  // outlive: the request goes on when the page is closed meanwhile.
  post<T>(path: string, body: object = {}, outlive = false): Promise<T> {
    return this.call('POST', path, body, undefined, { keepalive: outlive });
  }

  // create is a POST that may be sent again under the same key.
  create<T>(path: string, body: object, key: string): Promise<T> {
    return this.call('POST', path, body, undefined, { headers: { 'Idempotency-Key': key } });
  }

  // text is an answer that is no JSON.
  async text(path: string): Promise<string> {
    return (await this.ask('GET', path)).text();
  }

  patch<T>(path: string, body: object): Promise<T> {
    return this.call('PATCH', path, body);
  }

  // A Blob is sent as it is.
  put<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
    return this.call('PUT', path, body, signal);
  }

  async blob(path: string): Promise<Blob> {
    return (await this.ask('GET', path)).blob();
  }

  delete(path: string): Promise<void> {
    return this.call('DELETE', path);
  }

  private async call<T>(method: string, path: string, body?: object, signal?: AbortSignal, more?: More): Promise<T> {
    const response = await this.ask(method, path, body, signal, more);
    return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
  }

  private async ask(method: string, path: string, body?: object, signal?: AbortSignal, { sent, ...more }: More = {}): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json', ...more.headers };
    const token = this.token();
    if (token) headers['Authorization'] = `Bearer ${token}`;
    const picture = body instanceof Blob;
    if (body) headers['Content-Type'] = picture ? body.type : 'application/json';
    const again = method === 'GET' || headers['Idempotency-Key'] !== undefined;
    let response: Response;
    try {
      // A request that hangs is as bad as one that fails; a picture may take
      // its time.
      const limit = signal ?? (picture ? undefined : AbortSignal.timeout(PATIENCE));
      const request = () => fetch(`/v1${path}`, { ...more, method, headers, body: picture ? body : body && JSON.stringify(body), signal: limit });
      response = await (sent ?? request());
      for (let tries = 1; again && tries < TRIES; tries++) {
        const wait = retryAfter(response);
        if (wait === undefined || wait > LATER) break;
        await pause(wait * 1_000 * (1 + Math.random() / 4), limit);
        response = await request();
      }
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new Problem({ status: 0, code: 'offline' });
    }
    if (response.status === 401) this.onUnauthenticated();
    if (!response.ok) throw new Problem(await problemOf(response));
    return response;
  }
}

// retryAfter is in how many seconds to come again, where the server says so.
function retryAfter(response: Response): number | undefined {
  if (response.status !== 503 && response.status !== 429) return undefined;
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  return seconds > 0 ? seconds : undefined;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

// syncClock is for pages that need the time before a WebSocket is up.
export async function syncClock(clock: ServerClock): Promise<void> {
  const response = await fetch('/v1/time');
  if (!response.ok) return;
  const { now, rate } = (await response.json()) as { now: string; rate: number };
  clock.set(now, rate);
}

async function problemOf(response: Response): Promise<ProblemBody> {
  try {
    const body = (await response.json()) as Partial<ProblemBody>;
    if (body.code) return { ...body, status: response.status, code: body.code };
  } catch {
    // A proxy's error page, not ours.
  }
  return { status: response.status, code: 'unavailable', title: response.statusText };
}
