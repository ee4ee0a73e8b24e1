import { ServerClock } from '../protocol/clock';

export const clock = new ServerClock();

// The server's time, moved on once a second for whatever on screen counts.
class Ticker {
  now = $state.raw(clock.now());

  constructor() {
    setInterval(() => this.touch(), 1_000);
  }

  touch(): void {
    this.now = clock.now();
  }
}

export const ticker = new Ticker();
