import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Backoff } from '../src/protocol/backoff';
import { ServerClock } from '../src/protocol/clock';
import { Connection, type ConnectionOptions, type Link } from '../src/protocol/connection';

type Frame = { type: 'status'; seq: number } | { type: 'position' };

class FakeSocket {
  readyState = 1;
  sent: Record<string, unknown>[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number; reason: string }) => void;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = 3;
  }

  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  end(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code, reason: '' });
  }

  welcome(seq: number): void {
    this.onopen?.();
    this.say({ type: 'welcome', now: '2026-11-23T10:00:00Z', rate: 1, role: 'customer', id: 'o1', seq });
  }
}

let sockets: FakeSocket[];
let links: Link['name'][];
let frames: Frame[];

function connect(more: Partial<ConnectionOptions<Frame>> = {}): Connection<Frame> {
  const connection = new Connection<Frame>({
    path: '/v1/ws/track',
    token: () => 'ct_1',
    clock: new ServerClock(() => 0),
    backoff: new Backoff({ base: 100, random: () => 1 }),
    onFrame: (frame) => frames.push(frame),
    onLink: (link) => links.push(link.name),
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    ...more,
  });
  connection.start();
  return connection;
}

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  links = [];
  frames = [];
});

afterEach(() => {
  vi.useRealTimers();
});

test('a courier says for how long its fixes may go unanswered', () => {
  connect({ patience: 2 });
  sockets[0]!.welcome(0);
  expect(sockets[0]!.sent.at(-1)).toEqual({ type: 'resume', seq: 0, patience: 2 });
});

test('authenticates in the first frame, then resumes from nothing', () => {
  connect();
  sockets[0]!.welcome(5);
  expect(sockets[0]!.sent).toEqual([
    { type: 'auth', token: 'ct_1' },
    { type: 'resume', seq: 0 },
  ]);
  expect(links).toEqual(['connecting', 'live']);
});

test('drops what has a seq at or under the last applied', () => {
  connect();
  sockets[0]!.welcome(2);
  for (const seq of [1, 2, 2, 1, 3]) sockets[0]!.say({ type: 'status', seq });
  sockets[0]!.say({ type: 'position' });
  expect(frames.map((frame) => ('seq' in frame ? frame.seq : frame.type))).toEqual([1, 2, 3, 'position']);
});

test('passes every frame on where items carry their own versions', () => {
  const connection = connect({ apply: 'any' });
  sockets[0]!.welcome(9);
  for (const seq of [7, 7, 6]) sockets[0]!.say({ type: 'status', seq });
  expect(frames).toHaveLength(3);
  expect(connection.seq).toBe(7);
});

test('comes back after a loss and resumes behind the last applied frame', () => {
  connect();
  sockets[0]!.welcome(4);
  sockets[0]!.say({ type: 'status', seq: 4 });
  sockets[0]!.end(1006);
  expect(links.at(-1)).toBe('waiting');
  vi.advanceTimersByTime(100);
  sockets[1]!.welcome(6);
  expect(sockets[1]!.sent.at(-1)).toEqual({ type: 'resume', seq: 4 });
});

test('waits longer after each failed attempt', () => {
  connect();
  sockets[0]!.end(1006);
  vi.advanceTimersByTime(100);
  sockets[1]!.end(1006);
  vi.advanceTimersByTime(199);
  expect(sockets).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(sockets).toHaveLength(3);
});

test.each([1000, 4401, 4403, 4404, 4409, 4410])('close code %i is final', (code) => {
  connect();
  sockets[0]!.welcome(1);
  sockets[0]!.end(code);
  vi.advanceTimersByTime(120_000);
  expect(sockets).toHaveLength(1);
  expect(links.at(-1)).toBe('closed');
});

test('asks for everything when the server knows less than the page', () => {
  connect();
  sockets[0]!.welcome(40);
  sockets[0]!.say({ type: 'status', seq: 40 });
  sockets[0]!.end(1001);
  vi.advanceTimersByTime(1_000);
  sockets[1]!.welcome(3);
  expect(sockets[1]!.sent.at(-1)).toEqual({ type: 'resume', seq: 0 });
});

test('replaces a stream that has fallen silent, but not one that beats', () => {
  connect();
  sockets[0]!.welcome(1);
  vi.advanceTimersByTime(50_000);
  sockets[0]!.say({ type: 'beat' });
  vi.advanceTimersByTime(59_000);
  expect(sockets).toHaveLength(1);
  expect(frames).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(sockets).toHaveLength(2);
});

test('a frame cannot be sent before resume', () => {
  const connection = connect();
  expect(connection.send({ type: 'view' })).toBe(false);
  sockets[0]!.welcome(1);
  expect(connection.send({ type: 'view' })).toBe(true);
});
