import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Api, Problem } from '../src/protocol/http';

const api = new Api(() => 'token');
let answers: Response[];
let asked: { at: number; method: string; key?: string }[];
const start = Date.parse('2026-11-27T12:00:00Z');

function busy(after?: string, status = 503): Response {
  const headers: Record<string, string> = after ? { 'Retry-After': after } : {};
  return new Response(JSON.stringify({ code: status === 503 ? 'unavailable' : 'rate_limited' }), { status, headers });
}

const ok = () => new Response('{"fine":true}', { status: 200 });

beforeEach(() => {
  vi.useFakeTimers({ now: start });
  vi.spyOn(Math, 'random').mockReturnValue(0);
  asked = [];
  vi.stubGlobal('fetch', (_: string, { method, headers }: { method: string; headers: Record<string, string> }) => {
    asked.push({ at: Date.now() - start, method, key: headers['Idempotency-Key'] });
    return Promise.resolve(answers.shift());
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function outcome(request: Promise<unknown>): Promise<unknown> {
  const done = request.catch((problem: unknown) => (problem as Problem).code);
  await vi.runAllTimersAsync();
  return done;
}

test.each([
  ['a read', () => api.get('/stats')],
  ['what has a key of its own', () => api.create('/orders', {}, 'k1')],
])('%s that is turned away comes again when the server says so', async (_, ask) => {
  answers = [busy('2'), busy('1', 429), ok()];
  expect(await outcome(ask())).toEqual({ fine: true });
  expect(asked.map(({ at }) => at)).toEqual([0, 2_000, 3_000]);
  expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
});

test.each<[string, Response[], () => Promise<unknown>, number]>([
  ['three times at most', [busy('1'), busy('1'), busy('1'), ok()], () => api.get('/stats'), 3],
  ['not where the server names no time', [busy(), ok()], () => api.get('/stats'), 1],
  ['not where it is a long one', [busy('60'), ok()], () => api.get('/stats'), 1],
  ['not what would be done twice', [busy('1'), ok()], () => api.post('/orders/o1/cancel'), 1],
])('%s', async (_, given, ask, times) => {
  answers = given;
  expect(await outcome(ask())).toBe('unavailable');
  expect(asked).toHaveLength(times);
});
