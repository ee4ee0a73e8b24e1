import { Connection, type Link } from '../protocol/connection';
import { Api, Problem } from '../protocol/http';
import type { TrackFrame } from '../protocol/frames';
import type { Fix, View } from '../protocol/types';
import { clock, ticker } from '../stores/clock.svelte';
import type { Early } from './early';

// A courier unheard of for so long is shown grey. Server seconds.
const STALE_AFTER = 30;

export interface Position {
  fix: Fix;
  age: number; // seconds
  stale: boolean;
}

// Tracking is what one secret lets its holder see, kept up to date.
export class Tracking {
  view = $state.raw<View>();
  link = $state.raw<Link>({ name: 'connecting' });
  // The link is wrong, expired or revoked: all three look the same.
  gone = $state.raw(false);
  ended = $state.raw(false);
  private fix = $state.raw<Fix>();
  private fixSeen = $state.raw(0);

  private readonly connection: Connection<TrackFrame>;
  private readonly api: Api;

  constructor(
    private readonly secret: string,
    private readonly early: Early = {},
  ) {
    if (early.view) this.show(early.view);
    this.api = new Api(() => secret);
    this.connection = new Connection<TrackFrame>({
      path: '/v1/ws/track',
      token: () => secret,
      clock,
      onFrame: (frame) => this.apply(frame),
      onLive: () => ticker.touch(),
      onLink: (link) => {
        this.link = link;
        if (link.name === 'closed' && link.code !== 1000) this.gone = true;
      },
    });
  }

  start(): void {
    if (!this.secret) {
      this.gone = true;
      return;
    }
    void this.first();
    this.connection.start();
  }

  stop(): void {
    this.connection.stop();
  }

  retry(): void {
    this.connection.hurry();
  }

  // picture is one that the order was delivered with.
  picture = (id: string): Promise<Blob> => this.api.blob(`/track/proofs/${id}`);

  get position(): Position | undefined {
    if (!this.fix || this.ended) return undefined;
    const age = Math.max(0, (ticker.now - this.fixSeen) / 1000);
    return { fix: this.fix, age, stale: age > STALE_AFTER };
  }

  // The HTTP answer is there two round trips before the stream's first frame.
  private async first(): Promise<void> {
    try {
      const view = await (this.early.answer ?? this.api.get<View>('/track'));
      if (!this.view) this.show(view);
    } catch (error) {
      if (error instanceof Problem && [401, 403, 404].includes(error.status)) {
        this.gone = true;
        this.stop();
      }
    }
  }

  private apply(frame: TrackFrame): void {
    switch (frame.type) {
      case 'snapshot':
      case 'status':
        this.show(frame.view);
        break;
      case 'eta':
        // Others come first again: where the courier is now is theirs.
        if (frame.stops_before && !this.view?.stops_before) this.fix = undefined;
        if (this.view) this.view = { ...this.view, eta: frame.eta, stops_before: frame.stops_before };
        break;
      case 'position':
        this.seen(frame.fix, frame.age);
        break;
      case 'ended':
        if (frame.reason === 'expired' || frame.reason === 'revoked') this.gone = true;
        this.ended = true;
        this.stop();
        this.link = { name: 'closed', code: 1000, reason: frame.reason };
        break;
    }
  }

  private show(view: View): void {
    this.view = view;
    if (view.fix) this.seen(view.fix, clock.known ? (clock.now() - Date.parse(view.fix.time)) / 1000 : 0);
    else if (!moving(view)) this.fix = undefined;
  }

  private seen(fix: Fix, age: number): void {
    this.fix = fix;
    this.fixSeen = clock.now() - Math.max(0, age) * 1000;
    ticker.touch();
  }
}

function moving(view: View): boolean {
  return ['assigned', 'at_pickup', 'picked_up', 'at_dropoff'].includes(view.status);
}
