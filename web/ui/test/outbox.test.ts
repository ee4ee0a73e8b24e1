import { beforeEach, expect, test, vi } from 'vitest';
import { FIXES_A_FRAME, Outbox, type Upload } from '../src/courier/outbox';
import { InMemory } from '../src/courier/storage';
import type { CourierCommand } from '../src/protocol/frames';

let storage: InMemory;
let wire: CourierCommand[];
let online: boolean;
let count: number;
let uploads: { picture: Upload; answer: (code: string) => void }[];
let faults: unknown[];

async function outbox(): Promise<Outbox> {
  const box = unloaded();
  await box.load();
  return box;
}

function unloaded(): Outbox {
  return new Outbox({
    storage,
    newID: () => `id${++count}`,
    upload: (picture) => new Promise((answer) => uploads.push({ picture, answer })),
    onFault: (error) => faults.push(error),
    transmit: (command) => {
      if (online) wire.push(structuredClone(command));
      return online;
    },
  });
}

function fix(second: number) {
  return { time: new Date(second * 1000).toISOString(), lat: 52, lng: 4, accuracy: 5 };
}

beforeEach(() => {
  storage = new InMemory();
  wire = [];
  online = false;
  count = 0;
  uploads = [];
  faults = [];
});

const types = () => wire.map((command) => command.type);
const bytes = new Uint8Array([1, 2, 3]).buffer;
const delivered = (photo: string) =>
  ({ type: 'stop.complete', order: 'o1', kind: 'dropoff', at: 'now', proof: { photo } }) as const;

test('what was done offline goes out in order on return', async () => {
  const box = await outbox();
  box.push({ type: 'duty', duty: 'available' });
  box.addFix(fix(1));
  box.addFix(fix(2));
  box.push({ type: 'stop.arrive', order: 'o1', kind: 'pickup', at: 'now' });
  online = true;
  box.restart();
  expect(types()).toEqual(['duty', 'fixes', 'stop.arrive']);
  expect(wire[1]).toMatchObject({ fixes: [fix(1), fix(2)] });
});

test('an answer ends a command, once', async () => {
  online = true;
  const box = await outbox();
  const id = box.push({ type: 'duty', duty: 'break' });
  expect(box.settle({ type: 'ack', id, ok: true })?.type).toBe('duty');
  expect(box.settle({ type: 'ack', id, ok: true })).toBeUndefined();
  expect(box.entries).toHaveLength(0);
});

test('without an answer the same id is sent again', async () => {
  online = true;
  const box = await outbox();
  box.push({ type: 'duty', duty: 'off' });
  box.restart();
  expect(wire.map((command) => command.id)).toEqual(['id1', 'id1']);
});

test('a refusal ends a command too, but "not now" keeps it', async () => {
  online = true;
  const box = await outbox();
  const first = box.push({ type: 'offer.accept', offer: 'f1' });
  const second = box.push({ type: 'duty', duty: 'off' });
  box.settle({ type: 'ack', id: first, ok: false, code: 'conflict' });
  box.settle({ type: 'ack', id: second, ok: false, code: 'unavailable' });
  expect(box.entries.map((entry) => entry.command.id)).toEqual([second]);
  box.flush();
  expect(wire.at(-1)?.id).toBe(second);
});

test('the queue outlives the page', async () => {
  (await outbox()).push({ type: 'stop.arrive', order: 'o1', kind: 'dropoff', at: 'now' });
  const next = unloaded();
  online = true;
  await next.load();
  expect(wire).toMatchObject([{ id: 'id1', type: 'stop.arrive' }]);
});

test('what is done before the old queue is read goes after it', async () => {
  (await outbox()).push({ type: 'duty', duty: 'available' });
  online = true;
  const next = unloaded();
  next.push({ type: 'duty', duty: 'break' });
  expect(wire).toEqual([]);
  await next.load();
  expect(wire).toMatchObject([{ duty: 'available' }, { duty: 'break' }]);
  expect(await storage.all()).toHaveLength(2);
});

test('two pages of one phone do not write over each other', async () => {
  vi.useFakeTimers({ toFake: ['Date'] }); // all in one millisecond
  const pages = await Promise.all(Array.from({ length: 200 }, outbox));
  for (let i = 0; i < 20; i++) for (const box of pages) box.push({ type: 'duty', duty: 'break' });
  vi.useRealTimers();
  expect(await storage.all()).toHaveLength(4_000);
});

test('a batch never grows once sent, nor past the limit of a frame', async () => {
  const box = await outbox();
  for (let second = 0; second < FIXES_A_FRAME + 1; second++) box.addFix(fix(second));
  expect(box.entries).toHaveLength(2);
  online = true;
  box.flush();
  box.addFix(fix(999));
  expect(box.entries).toHaveLength(3);
});

test('what names a picture waits until it is kept; fixes wait for nothing', async () => {
  online = true;
  const box = await outbox();
  const photo = box.pushPicture('o1', 'photo', 'image/jpeg', bytes);
  box.push(delivered(photo));
  box.push({ type: 'stop.arrive', order: 'o2', kind: 'dropoff', at: 'now' });
  box.addFix(fix(1));
  box.flush();
  expect(types()).toEqual(['fixes']);
  expect(uploads.map(({ picture }) => picture.id)).toEqual([photo]);
  uploads[0]!.answer('');
  await Promise.resolve();
  expect(types()).toEqual(['fixes', 'stop.complete', 'stop.arrive']);
});

test('a picture waits for the actions ahead of it: the order may not be the courier’s yet', async () => {
  online = true;
  const box = await outbox();
  const accept = box.push({ type: 'offer.accept', offer: 'f1' });
  box.pushPicture('o1', 'photo', 'image/jpeg', bytes);
  box.flush();
  expect(uploads).toHaveLength(0);
  box.settle({ type: 'ack', id: accept, ok: true });
  box.flush();
  expect(uploads).toHaveLength(1);
});

test('a picture that does not get through is tried again, and is not sent twice at once', async () => {
  online = true;
  const box = await outbox();
  const photo = box.pushPicture('o1', 'photo', 'image/jpeg', bytes);
  box.push(delivered(photo));
  box.flush();
  box.restart();
  expect(uploads).toHaveLength(1);
  uploads[0]!.answer('offline');
  await Promise.resolve();
  expect(types()).toEqual([]);
  box.flush();
  expect(uploads.map(({ picture }) => picture.id)).toEqual([photo, photo]);
});

test('a picture that is refused lets the rest go on', async () => {
  online = true;
  const box = await outbox();
  box.push(delivered(box.pushPicture('o1', 'photo', 'image/jpeg', bytes)));
  box.flush();
  uploads[0]!.answer('not_found');
  await Promise.resolve();
  expect(types()).toEqual(['stop.complete']);
});

test('a picture outlives the page', async () => {
  (await outbox()).pushPicture('o1', 'signature', 'image/png', bytes);
  await outbox();
  const kept = uploads[0]!.picture;
  expect({ ...kept, bytes: [...new Uint8Array(kept.bytes)] }).toEqual({
    type: 'proof', id: 'id1', order: 'o1', kind: 'signature', media: 'image/png', bytes: [1, 2, 3],
  });
});

test('a phone that keeps nothing says so, and sends all the same', async () => {
  online = true;
  const box = await outbox();
  storage.put = () => Promise.reject(new Error('full'));
  box.push({ type: 'duty', duty: 'break' });
  await Promise.resolve();
  expect(types()).toEqual(['duty']);
  expect(faults).toHaveLength(1);
});

test('fixes that the server has no time for gather until it wants them, and actions go on', async () => {
  vi.useFakeTimers();
  try {
    const box = await outbox();
    online = true;
    box.addFix(fix(1));
    box.flush();
    box.settle({ type: 'ack', id: 'id1', ok: false, code: 'unavailable', retry_after: 1.5 });
    box.addFix(fix(2));
    vi.advanceTimersByTime(1_400);
    box.flush();
    box.push({ type: 'duty', duty: 'break' });
    expect(types()).toEqual(['fixes', 'duty']);
    vi.advanceTimersByTime(200);
    box.flush();
    expect(types()).toEqual(['fixes', 'duty', 'fixes']);
    expect(wire[2]).toMatchObject({ id: 'id1', fixes: [fix(1), fix(2)] });
  } finally {
    vi.useRealTimers();
  }
});

test('another connection does not wait for what the last one asked for', async () => {
  const box = await outbox();
  online = true;
  box.addFix(fix(1));
  box.flush();
  box.settle({ type: 'ack', id: 'id1', ok: false, code: 'unavailable', retry_after: 60 });
  box.restart();
  expect(types()).toEqual(['fixes', 'fixes']);
});
