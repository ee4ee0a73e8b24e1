import type { ServerClock } from '../protocol/clock';
import type { Courier, Duty, Plan, Stop } from '../protocol/types';

// What a page that is opened without a network needs of the last one.

export interface Kept {
  plan: Plan;
  courier: Courier;
  duty: Duty;
  pickups?: Record<string, Stop>; // by order
}

const CLOCK = 'courier.clock';
const planKey = (courier: string) => `courier.plan.${courier}`;

export function keepPlan(courier: string, kept: Kept): void {
  write(planKey(courier), kept);
}

export function keptPlan(courier: string): Kept | undefined {
  return read<Kept>(planKey(courier));
}

export function forgetPlan(courier: string): void {
  try {
    localStorage.removeItem(planKey(courier));
  } catch {
    // Nothing was kept then.
  }
}

// keepClock remembers how far this phone's clock is from the server's.
export function keepClock(clock: ServerClock): void {
  if (clock.rate === 1) write(CLOCK, Math.round(clock.now() - Date.now()));
}

export function keptClock(clock: ServerClock): void {
  const ahead = read<number>(CLOCK);
  if (typeof ahead === 'number') clock.set(new Date(Date.now() + ahead).toISOString(), 1);
}

export function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Without storage a restart offline starts empty.
  }
}

export function read<T>(key: string): T | undefined {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? 'null') as T | null) ?? undefined;
  } catch {
    return undefined;
  }
}
