import { beforeEach, expect, test } from 'vitest';
import { FIXES_A_FRAME, Outbox } from '../src/courier/outbox';
import { InMemory } from '../src/courier/storage';
import type { CourierCommand } from '../src/protocol/frames';

let storage: InMemory;
let wire: CourierCommand[];
let online: boolean;
let count: number;

function outbox(): Outbox {
  return new Outbox({
    storage,
    newID: () => `id${++count}`,
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
});

test('what was done offline goes out in order on return', () => {
  const box = outbox();
  box.push({ type: 'duty', duty: 'available' });
  box.addFix(fix(1));
  box.addFix(fix(2));
  box.push({ type: 'stop.arrive', order: 'o1', kind: 'pickup', at: 'now' });
  online = true;
  box.restart();
  expect(wire.map((command) => command.type)).toEqual(['duty', 'fixes', 'stop.arrive']);
  expect(wire[1]).toMatchObject({ fixes: [fix(1), fix(2)] });
});

test('an answer ends a command, once', () => {
  online = true;
  const box = outbox();
  const id = box.push({ type: 'duty', duty: 'break' });
  expect(box.settle({ type: 'ack', id, ok: true })?.type).toBe('duty');
  expect(box.settle({ type: 'ack', id, ok: true })).toBeUndefined();
  expect(box.entries).toHaveLength(0);
});

test('without an answer the same id is sent again', () => {
  online = true;
  const box = outbox();
  box.push({ type: 'duty', duty: 'off' });
  box.restart();
  expect(wire.map((command) => command.id)).toEqual(['id1', 'id1']);
});

test('a refusal ends a command too, but "not now" keeps it', () => {
  online = true;
  const box = outbox();
  const first = box.push({ type: 'offer.accept', offer: 'f1' });
  const second = box.push({ type: 'duty', duty: 'off' });
  box.settle({ type: 'ack', id: first, ok: false, code: 'conflict' });
  box.settle({ type: 'ack', id: second, ok: false, code: 'unavailable' });
  expect(box.entries.map((entry) => entry.command.id)).toEqual([second]);
  box.flush();
  expect(wire.at(-1)?.id).toBe(second);
});

test('the queue outlives the page', async () => {
  outbox().push({ type: 'stop.arrive', order: 'o1', kind: 'dropoff', at: 'now' });
  const next = outbox();
  await next.load();
  online = true;
  next.restart();
  expect(wire).toMatchObject([{ id: 'id1', type: 'stop.arrive' }]);
});

test('a batch never grows once sent, nor past the limit of a frame', () => {
  const box = outbox();
  for (let second = 0; second < FIXES_A_FRAME + 1; second++) box.addFix(fix(second));
  expect(box.entries).toHaveLength(2);
  online = true;
  box.flush();
  box.addFix(fix(999));
  expect(box.entries).toHaveLength(3);
});
