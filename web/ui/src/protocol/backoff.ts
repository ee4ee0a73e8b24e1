export interface BackoffOptions {
  base?: number;
  max?: number;
  random?: () => number;
}

// Exponential back-off in milliseconds with equal jitter: a delay lies between
// half its step and the whole of it, so clients dropped together come back apart.
export class Backoff {
  attempt = 0;
  private readonly base: number;
  private readonly max: number;
  private readonly random: () => number;

  constructor({ base = 500, max = 30_000, random = Math.random }: BackoffOptions = {}) {
    this.base = base;
    this.max = max;
    this.random = random;
  }

  next(): number {
    const step = Math.min(this.max, this.base * 2 ** Math.min(this.attempt, 16));
    this.attempt++;
    return step / 2 + (step / 2) * this.random();
  }

  reset(): void {
    this.attempt = 0;
  }
}
