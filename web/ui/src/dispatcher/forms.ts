import type { Bounds } from '../protocol/frames';
import type { Courier, Order, Place, Point, Vehicle } from '../protocol/types';

// pointOf reads "52.0907, 5.1214", as maps copy it.
export function pointOf(text: string): Point | undefined {
  const found = /^\s*(-?\d+(?:\.\d+)?)\s*[,; ]\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text);
  if (!found) return undefined;
  const [lat, lng] = [Number(found[1]), Number(found[2])];
  return Math.abs(lat) <= 90 && Math.abs(lng) <= 180 ? { lat, lng } : undefined;
}

export function textOf({ lat, lng }: Point): string {
  return `${lat.toFixed(6)}, ${lng.toFixed(6)}`;
}

export function middleOf({ south, west, north, east }: Bounds): Point {
  return { lat: (south + north) / 2, lng: (west + east) / 2 };
}

// knownPlaces are addresses that orders were brought from or to, the ones
// seen most often first: with them come their points.
export function knownPlaces(orders: Iterable<Order>, most = 200): Map<string, Point> {
  const seen = new Map<string, { point: Point; count: number }>();
  const add = ({ address, point }: Place) => {
    if (!address) return;
    const known = seen.get(address);
    if (known) known.count++;
    else seen.set(address, { point, count: 1 });
  };
  for (const order of orders) {
    add(order.pickup);
    add(order.dropoff);
  }
  const sorted = [...seen].sort(([, a], [, b]) => b.count - a.count).slice(0, most);
  return new Map(sorted.map(([address, { point }]) => [address, point]));
}

export interface PlaceFields {
  address: string;
  point: string;
  name: string;
  phone: string;
  note: string;
}

export const noPlace: PlaceFields = { address: '', point: '', name: '', phone: '', note: '' };

export function placeOf({ address, point, name, phone, note }: PlaceFields): Place | undefined {
  const at = pointOf(point);
  if (!at) return undefined;
  const contact = { ...(name.trim() && { name: name.trim() }), ...(phone.trim() && { phone: phone.trim() }) };
  return {
    point: at,
    ...(address.trim() && { address: address.trim() }),
    ...(Object.keys(contact).length > 0 && { contact }),
    ...(note.trim() && { note: note.trim() }),
  };
}

export function listOf(text: string): string[] {
  return [...new Set(text.split(',').map((word) => word.trim()))].filter(Boolean);
}

// Times of a form are this machine's; the wire's are UTC.
export function wireTime(local: string): string | undefined {
  const at = local ? new Date(local) : undefined;
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : undefined;
}

export function localTime(wire: string | undefined): string {
  if (!wire) return '';
  const at = new Date(wire);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export interface CourierFields {
  name: string;
  phone: string;
  vehicle: Vehicle;
  capacity: number;
  skills: string;
  from: string;
  to: string;
  start: string; // a point
}

export const newcomer: CourierFields = { name: '', phone: '', vehicle: 'bicycle', capacity: 3, skills: '', from: '', to: '', start: '' };

export function fieldsOf(courier: Courier): CourierFields {
  const { name, phone = '', vehicle, capacity, skills = [], shift, start } = courier;
  const times = { from: localTime(shift?.from), to: localTime(shift?.to) };
  return { name, phone, vehicle, capacity, skills: skills.join(', '), ...times, start: start ? textOf(start) : '' };
}

type Wanted = Partial<Pick<Courier, 'name' | 'phone' | 'vehicle' | 'capacity' | 'skills'>> & { shift?: Courier['shift'] | null; start?: Point | null };

export function courierOf(fields: CourierFields): Wanted {
  const [from, to] = [wireTime(fields.from), wireTime(fields.to)];
  return {
    name: fields.name.trim(),
    phone: fields.phone.trim(),
    vehicle: fields.vehicle,
    capacity: fields.capacity,
    skills: listOf(fields.skills),
    shift: from && to ? { from, to } : null,
    start: pointOf(fields.start) ?? null,
  };
}

// changes are the fields that differ from the courier that was seen.
export function changes(seen: Courier, fields: CourierFields): Wanted {
  const [before, after] = [courierOf(fieldsOf(seen)), courierOf(fields)];
  return Object.fromEntries(
    Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof Wanted])),
  ) as Wanted;
}

// clashes are those of the changed fields that somebody else changed too. A
// courier's version moves with every stop, which is none of a form's business.
export function clashes(seen: Courier, current: Courier, changed: Wanted): (keyof Wanted)[] {
  const [before, now] = [courierOf(fieldsOf(seen)), courierOf(fieldsOf(current))];
  return (Object.keys(changed) as (keyof Wanted)[]).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
}

// rebased is a form on what the courier is now: what was changed in it stays,
// all else is taken from the courier.
export function rebased(seen: Courier, current: Courier, fields: CourierFields): CourierFields {
  const changed = changes(seen, fields);
  const kept = (Object.keys(newcomer) as (keyof CourierFields)[]).filter((name) => (name === 'from' || name === 'to' ? 'shift' : name) in changed);
  return { ...fieldsOf(current), ...Object.fromEntries(kept.map((name) => [name, fields[name]])) };
}
