// The server's clock may run at a multiple of real time, so a page never
// compares a time from the wire with Date.now().
export class ServerClock {
  private server = Date.now();
  private local = performance.now();
  rate = 1;
  // Until the server has told its time, now() is the phone's, which may be wrong.
  known = false;

  constructor(private readonly monotonic: () => number = () => performance.now()) {
    this.local = monotonic();
  }

  set(now: string, rate: number): void {
    const parsed = Date.parse(now);
    if (Number.isNaN(parsed)) return;
    this.known = true;
    this.server = parsed;
    this.local = this.monotonic();
    this.rate = rate > 0 ? rate : 1;
  }

  now(): number {
    return this.server + (this.monotonic() - this.local) * this.rate;
  }

  iso(): string {
    return new Date(this.now()).toISOString();
  }
}
