import { expect } from '@playwright/test';
import { Outbox } from '../../src/courier/outbox';
import { InMemory } from '../../src/courier/storage';
import { Backoff } from '../../src/protocol/backoff';
import { ServerClock } from '../../src/protocol/clock';
import { Connection, type Link } from '../../src/protocol/connection';
import type { Ack, CourierFrame } from '../../src/protocol/frames';
import type { Line } from './line';

// Client is the pages' own protocol client, run here over a line that can be cut.
export class Client<F extends { type: string }> {
  readonly clock = new ServerClock();
  readonly links: Link[] = [];
  readonly frames: F[] = [];
  onFrame: (frame: F) => void = () => {};
  onLive: () => void = () => {};
  readonly connection: Connection<F>;

  constructor(line: Line, path: string, token: string, apply: 'newer' | 'any' = 'newer') {
    this.connection = new Connection<F>({
      path,
      token: () => token,
      clock: this.clock,
      apply,
      backoff: new Backoff({ base: 100, max: 1_000 }),
      open: (url) => open(line.url.replace('http', 'ws') + new URL(url).pathname),
      onFrame: (frame) => {
        this.frames.push(frame);
        this.onFrame(frame);
      },
      onLink: (link) => this.links.push(link),
      onLive: () => this.onLive(),
    });
    this.connection.start();
  }

  get link(): Link {
    return this.connection.link;
  }

  async wantLink(name: Link['name']): Promise<void> {
    await expect.poll(() => this.link.name, { message: 'the link' }).toBe(name);
  }
}

// Node 20 says error and no close of a handshake that fails, where browsers say both.
function open(url: string): WebSocket {
  const socket = new WebSocket(url, 'dispatch.v1');
  socket.addEventListener('error', () => setTimeout(() => socket.onclose?.({ code: 1006, reason: '' } as CloseEvent), 10));
  return socket;
}

// Rider is a courier's client with the queue of what was done.
export class Rider extends Client<CourierFrame> {
  readonly answers: Ack[] = [];
  readonly outbox: Outbox;

  constructor(line: Line, token: string) {
    super(line, '/v1/ws/courier', token, 'any');
    this.outbox = new Outbox({ storage: new InMemory(), transmit: (command) => this.connection.send(command) });
    void this.outbox.load();
    this.onLive = () => this.outbox.restart();
    this.onFrame = (frame) => {
      if (frame.type !== 'ack') return;
      this.answers.push(frame);
      this.outbox.settle(frame);
      this.outbox.flush();
    };
  }

  async wantSent(): Promise<void> {
    await expect.poll(() => this.outbox.entries.length, { message: 'what waits to be sent' }).toBe(0);
  }
}
