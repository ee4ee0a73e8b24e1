import type { Point } from '../protocol/types';

// Glide carries a mark from fix to fix at the pace the fixes come, so it
// neither jumps nor waits. A distance no courier covers is not animated.
export class Glide {
  private from?: Point;
  private to?: Point;
  private start = 0;
  private length = 0;
  private last?: number;

  constructor(private readonly still: () => boolean = () => false) {}

  // move aims at a new place; now is in milliseconds.
  move(to: Point, now: number): void {
    if (this.to?.lat === to.lat && this.to.lng === to.lng) return;
    const from = this.at(now);
    const interval = this.last === undefined ? 0 : now - this.last;
    this.last = now;
    this.to = to;
    this.start = now;
    const far = from ? Math.hypot(to.lat - from.lat, to.lng - from.lng) > 0.02 : true;
    this.from = from && !far && !this.still() ? from : to;
    this.length = Math.min(5_000, Math.max(300, interval));
  }

  at(now: number): Point | undefined {
    if (!this.from || !this.to) return undefined;
    const part = Math.min(1, (now - this.start) / this.length);
    return {
      lat: this.from.lat + (this.to.lat - this.from.lat) * part,
      lng: this.from.lng + (this.to.lng - this.from.lng) * part,
    };
  }

  moving(now: number): boolean {
    return this.to !== undefined && now - this.start < this.length;
  }
}
