import type { CourierCommand } from '../protocol/frames';
import type { Plan, Stop } from '../protocol/types';
import { stopKey } from './plandiff';

export interface ShownStop extends Stop {
  pending: boolean; // something about it is not told yet
}

export interface Known {
  plan?: Plan; // as the server said last
  done: readonly CourierCommand[]; // answered, and perhaps not in the plan yet
  waiting: readonly CourierCommand[]; // without an answer
  pickups: Readonly<Record<string, Stop>>; // by order, of what is on board too
  capacity: number;
}

// Settled is what the server has answered, while the plan that shows it may be
// on its way: answers come at once, plans over the bus.
export interface Settled {
  command: CourierCommand;
  until: number; // the plans are believed from then on (ms)
}

// How long after an answer's first plan one may come that is from before it (ms).
const LAG = 5_000;

// aged is what may not be in the plans yet, now that one has come.
export function aged(settled: readonly Settled[], now: number): Settled[] {
  return settled.filter(({ until }) => until > now).map(({ command, until }) => ({ command, until: Math.min(until, now + LAG) }));
}

// foreseen is the plan as it will be once everything that the courier did has
// come to the server: the same steps that the server takes. What the plan shows
// already changes nothing.
export function foreseen({ plan, done, waiting, pickups, capacity }: Known): ShownStop[] {
  let stops: ShownStop[] = (plan?.stops ?? []).map((stop) => ({ ...stop, pending: false }));
  const told = done.length;
  for (const [index, command] of [...done, ...waiting].entries()) {
    const pending = index >= told;
    if (command.type === 'stop.arrive') {
      stops = stops.map((stop) => (stopKey(stop) === stopKey(command) ? { ...stop, arrived_at: stop.arrived_at ?? command.at, pending } : stop));
    } else if (command.type === 'stop.complete') {
      stops = stops.filter((stop) => stopKey(stop) !== stopKey(command));
    } else if (command.type === 'stop.fail') {
      if (!stops.some((stop) => stopKey(stop) === stopKey(command))) continue;
      stops = stops.filter((stop) => stop.order !== command.order);
      const from = pickups[command.order];
      if (command.kind === 'dropoff' && from) stops = broughtBack(stops, from, capacity, pending);
    }
  }
  return stops;
}

// broughtBack puts the way back last, unless there is no room to carry the
// goods along until then.
function broughtBack(stops: ShownStop[], from: Stop, capacity: number, pending: boolean): ShownStop[] {
  const { note, ready_at, arrived_at, arrive, depart, ...place } = from;
  const back: ShownStop = { ...place, kind: 'return', pending };
  const last = [...stops, back];
  return peak(last) <= capacity ? last : [back, ...stops];
}

// peak is the most units at once along the stops.
function peak(stops: readonly Stop[]): number {
  const change = ({ kind, size = 1 }: Stop) => (kind === 'pickup' ? size : -size);
  let load = -stops.reduce((sum, stop) => sum + change(stop), 0); // on board now
  let most = load;
  for (const stop of stops) most = Math.max(most, (load += change(stop)));
  return most;
}
