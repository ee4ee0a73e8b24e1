import type { Fix } from '../protocol/types';
import { clock } from '../stores/clock.svelte';

export const ROUGH = 200; // metres
const PACE = 2_000; // ms between fixes kept
// A browser may fall silent while the phone lies still; whoever is not heard
// of gets no work (ms).
const STILL = 20_000;

export type Trouble = 'denied' | 'unavailable' | 'coarse';

// Position watches where the phone is while the courier is on duty.
export class Position {
  trouble = $state<Trouble>();
  accuracy = $state(0); // metres, of the newest
  here = $state.raw<Fix>();
  private watch?: number;
  private timer?: ReturnType<typeof setInterval>;
  private permission?: PermissionStatus;
  private last = 0;

  constructor(private readonly onFix: (fix: Fix) => void) {}

  start(): void {
    if (this.watch !== undefined) return;
    if (!('geolocation' in navigator)) {
      this.trouble = 'unavailable';
      return;
    }
    this.watch = navigator.geolocation.watchPosition(
      (position) => this.take(position),
      (error) => (this.trouble = error.code === error.PERMISSION_DENIED ? 'denied' : 'unavailable'),
      { enableHighAccuracy: true, maximumAge: 2_000, timeout: 30_000 },
    );
    this.timer = setInterval(() => this.ask(), STILL / 2);
    void this.heed();
  }

  stop(): void {
    if (this.watch !== undefined) navigator.geolocation.clearWatch(this.watch);
    clearInterval(this.timer);
    this.permission?.removeEventListener('change', this.retry);
    this.permission = undefined;
    this.watch = undefined;
    this.trouble = undefined;
  }

  // retry asks again: a watch that was denied stays silent when it is allowed.
  retry = (): void => {
    if (this.watch === undefined) return;
    this.stop();
    this.start();
  };

  private async heed(): Promise<void> {
    try {
      const permission = await navigator.permissions.query({ name: 'geolocation' });
      if (this.watch === undefined || this.permission) return;
      this.permission = permission;
      permission.addEventListener('change', this.retry);
      if (permission.state === 'denied') this.trouble = 'denied';
    } catch {
      // A browser that does not tell: the watch does.
    }
  }

  private ask(): void {
    if (Date.now() - this.last < STILL) return;
    navigator.geolocation.getCurrentPosition(
      (position) => this.take(position),
      () => {}, // the watch tells what is wrong
      { enableHighAccuracy: true, maximumAge: 0, timeout: STILL / 2 },
    );
  }

  private take({ coords, timestamp }: GeolocationPosition): void {
    this.trouble = coords.accuracy > ROUGH ? 'coarse' : undefined;
    this.accuracy = coords.accuracy;
    if (timestamp - this.last < PACE) return;
    this.last = timestamp;
    const age = Math.max(0, Date.now() - timestamp) * clock.rate;
    const fix: Fix = {
      time: new Date(clock.now() - age).toISOString(),
      lat: coords.latitude,
      lng: coords.longitude,
      accuracy: coords.accuracy,
    };
    if (coords.speed !== null && Number.isFinite(coords.speed)) fix.speed = Math.max(0, coords.speed);
    if (coords.heading !== null && Number.isFinite(coords.heading)) fix.heading = coords.heading % 360;
    this.here = fix;
    this.onFix(fix);
  }
}
