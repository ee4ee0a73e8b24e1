import type { CourierCommand } from '../protocol/frames';
import type { Plan, Stop } from '../protocol/types';
import { stopKey } from './plandiff';

export interface ShownStop extends Stop {
  pending: boolean; // something about it is not told yet
}

export interface Known {
  plan?: Plan; // as the server said last
  done: readonly CourierCommand[]; // answered, and not in the plan yet
  waiting: readonly CourierCommand[]; // without an answer
  pickups: Readonly<Record<string, Stop>>; // by order, of what is on board too
  capacity: number;
}

// foreseen is the plan as it will be once everything that the courier did has
// come to the server: the same steps that the server takes.
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
      // What the plan has no more was dealt with before: nothing to bring back.
      const known = stops.some((stop) => stopKey(stop) === stopKey(command));
      stops = stops.filter((stop) => stop.order !== command.order);
      const from = pickups[command.order];
      if (known && command.kind === 'dropoff' && from) stops = broughtBack(stops, from, capacity, pending);
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
