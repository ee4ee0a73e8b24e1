import type { Tone } from '../design/tone';
import { distance, number } from '../messages/format';
import { ROUGH } from './location.svelte';
import { allowed, ask, type Allowed } from './notify';
import { read, write } from './recall';
import { t } from './texts';

export type Level = Extract<Tone, 'ok' | 'warn' | 'bad' | 'mute'>;

export interface Finding {
  level: Level;
  text: string;
}

interface Battery extends EventTarget {
  level: number; // 0-1
  charging: boolean;
}

const GOOD = 50; // metres
const LOW = 0.2; // of a battery
const DONE = 'courier.checked';

// Checkup looks at what a shift will need of this phone.
export class Checkup {
  location = $state.raw<Finding>({ level: 'mute', text: t.check.locationAsk });
  battery = $state.raw<Finding>({ level: 'mute', text: t.check.batteryUnknown });
  memory = $state.raw<Finding>({ level: 'mute', text: '' });
  readonly screen: Finding =
    'wakeLock' in navigator ? { level: 'ok', text: t.check.screenOK } : { level: 'warn', text: t.check.screenOff };
  hidden = $state.raw<Finding>(toldWhileHidden(allowed()));
  mayAsk = $state(allowed() === 'default');
  asking = $state(false);
  allowed = $state(false);

  // Whether it has been gone through on this phone.
  static get done(): boolean {
    return read<boolean>(DONE) === true;
  }

  finish(): void {
    write(DONE, true);
  }

  // start looks without asking the person for anything.
  async start(forgetful: () => boolean): Promise<void> {
    void this.lookAtBattery();
    void navigator.storage?.persist?.().catch(() => false);
    this.memory = forgetful() || !storageWorks() ? { level: 'bad', text: t.check.memoryBad } : { level: 'ok', text: t.check.memoryOK };
    try {
      const { state } = await navigator.permissions.query({ name: 'geolocation' });
      if (state === 'granted') this.locate();
      if (state === 'denied') this.location = { level: 'bad', text: t.check.locationDenied };
    } catch {
      // Asked for by the button.
    }
  }

  locate(): void {
    if (!navigator.geolocation) {
      this.location = { level: 'bad', text: t.check.locationNone };
      return;
    }
    this.asking = true;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => this.found(coords.accuracy),
      (error) => {
        this.asking = false;
        const denied = error.code === error.PERMISSION_DENIED;
        this.location = { level: 'bad', text: denied ? t.check.locationDenied : t.check.locationNone };
      },
      { enableHighAccuracy: true, maximumAge: 0, timeout: 20_000 },
    );
  }

  async askToNotify(): Promise<void> {
    const answer = await ask();
    this.hidden = toldWhileHidden(answer);
    this.mayAsk = answer === 'default';
  }

  private found(accuracy: number): void {
    this.asking = false;
    this.allowed = true;
    const within = distance(Math.max(10, accuracy));
    const level = accuracy <= GOOD ? 'ok' : accuracy <= ROUGH ? 'warn' : 'bad';
    this.location = { level, text: level === 'ok' ? t.check.locationOK(within) : t.check.locationRough(within) };
  }

  private async lookAtBattery(): Promise<void> {
    const ask = (navigator as { getBattery?: () => Promise<Battery> }).getBattery;
    if (!ask) return;
    try {
      const battery = await ask.call(navigator);
      const show = () => (this.battery = judge(battery));
      show();
      battery.addEventListener('levelchange', show);
      battery.addEventListener('chargingchange', show);
    } catch {
      // Not told: the hint stays.
    }
  }
}

function toldWhileHidden(answer: Allowed): Finding {
  switch (answer) {
    case 'granted':
      return { level: 'ok', text: t.check.notifyOK };
    case 'denied':
      return { level: 'warn', text: t.check.notifyDenied };
    case 'default':
      return { level: 'mute', text: t.check.notifyAsk };
    case 'none':
      return { level: 'warn', text: t.check.notifyNone };
  }
}

export function judge({ level, charging }: Pick<Battery, 'level' | 'charging'>): Finding {
  const percent = `${number(level * 100)} %`;
  if (charging) return { level: 'ok', text: t.check.batteryCharging(percent) };
  return level < LOW ? { level: 'warn', text: t.check.batteryLow(percent) } : { level: 'ok', text: t.check.batteryOK(percent) };
}

function storageWorks(): boolean {
  try {
    localStorage.setItem('courier.try', '1');
    localStorage.removeItem('courier.try');
    return 'indexedDB' in globalThis;
  } catch {
    return false;
  }
}
