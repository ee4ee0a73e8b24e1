import { Api } from '../protocol/http';
import type { Day } from '../protocol/types';
import { clock } from '../stores/clock.svelte';
import type { Account } from './account';
import { read, write } from './recall';

// Today is what the courier has done since midnight where it is, as the server
// has it; without a network, as it last had it.
export class Today {
  day = $state.raw<Day>();
  loading = $state(false);
  away = $state(false);

  constructor(private readonly account: Account) {
    const kept = read<Day>(this.key);
    if (kept && Date.parse(kept.from) === midnight(clock.now())) this.day = kept;
  }

  private get key(): string {
    return `courier.day.${this.account.courier}`;
  }

  async load(): Promise<void> {
    this.loading = true;
    try {
      const from = new Date(midnight(clock.now())).toISOString();
      this.day = await new Api(() => this.account.token).get<Day>(`/me/day?from=${encodeURIComponent(from)}`);
      this.away = false;
      write(this.key, this.day);
    } catch {
      this.away = true;
    } finally {
      this.loading = false;
    }
  }
}

export function midnight(now: number): number {
  return new Date(now).setHours(0, 0, 0, 0);
}

// hoursOf is how long a day's duty was and its breaks, which are not part of
// it, in seconds. A day that was kept by an older page has none.
export function hoursOf(day: Day | undefined): { duty: number; break: number } {
  const hours = { duty: 0, break: 0 };
  for (const { duty, from, to } of day?.duty ?? []) {
    hours[duty === 'break' ? 'break' : 'duty'] += (Date.parse(to) - Date.parse(from)) / 1_000;
  }
  return hours;
}
