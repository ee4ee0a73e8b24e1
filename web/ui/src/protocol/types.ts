// Resources as docs/protocol.md gives them. Times are RFC 3339 strings on the
// server's clock; durations are seconds, distances metres.

export type Time = string;

export interface Point {
  lat: number;
  lng: number;
}

export type OrderStatus =
  | 'placed'
  | 'searching'
  | 'offered'
  | 'assigned'
  | 'at_pickup'
  | 'picked_up'
  | 'at_dropoff'
  | 'delivered'
  | 'failed'
  | 'returned'
  | 'cancelled'
  | 'unassignable';

export type Vehicle = 'foot' | 'bicycle' | 'scooter' | 'car' | 'van';
export type Duty = 'off' | 'available' | 'break';
export type CourierState = 'free' | 'offered' | 'busy' | 'break' | 'stale' | 'offline';
export type StopKind = 'pickup' | 'dropoff' | 'return';
export type Role = 'admin' | 'dispatcher' | 'viewer' | 'courier' | 'merchant' | 'customer';

// By is whose doing something was, as far as a courier is told.
export type By = 'admin' | 'dispatcher' | 'courier' | 'merchant' | 'customer' | 'matcher' | 'geofence' | 'system';

export interface Contact {
  name?: string;
  phone?: string;
}

export interface Place {
  point: Point;
  address?: string;
  contact?: Contact;
  note?: string;
}

export interface Fix extends Point {
  time: Time;
  accuracy: number;
  speed?: number;
  heading?: number;
}

export interface Window {
  from: Time;
  to: Time;
}

export interface Proof {
  pin?: boolean;
  note?: string;
  photo?: string; // ids of pictures
  signature?: string;
}

export type ProofKind = 'photo' | 'signature';

// In the currency's smallest unit, such as cents.
export interface Money {
  amount: number;
  currency: string;
}

export interface Order {
  id: string;
  merchant: string;
  reference?: string;
  status: OrderStatus;
  version: number;
  pickup: Place;
  dropoff: Place;
  ready_at?: Time;
  deliver_by?: Time;
  window?: Window;
  size: number;
  requirements?: { vehicles?: Vehicle[]; skills?: string[] };
  priority?: number;
  items?: string;
  pin_required?: boolean;
  photo_required?: boolean;
  signature_required?: boolean;
  pay?: Money;
  courier?: string;
  pinned?: string;
  eta?: { pickup?: Time; dropoff?: Time };
  times?: Partial<Record<OrderStatus, Time>>;
  reason?: string;
  proof?: Proof;
}

export interface OrderEvent {
  order: string;
  version: number;
  type: string;
  status: OrderStatus;
  time: Time;
  actor: { role: string; id?: string };
  data?: {
    courier?: string;
    offer?: string;
    reason?: string;
    note?: string;
    at?: Time;
    proof?: Proof;
    area?: string;
    token?: number;
  };
}

export interface Stop {
  order: string;
  reference?: string;
  kind: StopKind;
  point: Point;
  address?: string;
  contact?: Contact;
  note?: string;
  items?: string;
  size?: number;
  arrive?: Time;
  depart?: Time;
  ready_at?: Time;
  from?: Time;
  due?: Time;
  arrived_at?: Time;
  pin_required?: boolean;
  photo_required?: boolean;
  signature_required?: boolean;
  pay?: Money;
}

export interface Plan {
  version: number;
  stops: Stop[];
}

export interface Courier {
  id: string;
  name: string;
  phone?: string;
  vehicle: Vehicle;
  capacity: number;
  skills?: string[];
  shift?: Window;
  start?: Point;
  duty: Duty;
  state: CourierState;
  load: number;
  version: number;
  plan?: Plan;
  last_seen?: Time;
  fix?: Fix;
}

export interface FleetCourier {
  id: string;
  name: string;
  vehicle: Vehicle;
  state: CourierState;
  duty: Duty;
  load: number;
  capacity: number;
  version: number;
  stops: number;
  fix?: Fix;
}

// The terms of a cost, in weighted seconds.
export type Parts = { travel: number; wait: number; late: number };

export interface Candidate {
  courier: string;
  cost?: number;
  parts?: Parts;
  chosen: boolean;
  why?: string;
}

export interface Decision {
  id: string;
  time: Time;
  order: string;
  round?: string;
  outcome: 'assigned' | 'offered' | 'waiting';
  courier?: string;
  bundle?: string[];
  cost?: number;
  parts?: Parts;
  candidates?: Candidate[];
  why?: string;
}

export interface Stats {
  waiting: number;
  active: number;
  couriers_on_duty: number;
  couriers_free: number;
  median_assign_seconds: number;
  late_percent: number;
  delivered_today: number;
  unassignable: number;
  feed_lag_seconds: number;
}

export interface Alert {
  id: string;
  kind: 'unassignable' | 'at_risk' | 'stale_courier' | 'deviation';
  order?: string;
  courier?: string;
  time: Time;
  text: string;
  active: boolean;
}

export interface CellCount {
  cell: string;
  supply: number;
  demand: number;
}

// Positions are [lng, lat], as GeoJSON has them.
export type ZoneArea =
  | { type: 'Polygon'; coordinates: number[][][] }
  | { type: 'MultiPolygon'; coordinates: number[][][][] };

export interface Zone {
  id: string;
  name: string;
  area: ZoneArea;
  version: number;
  changed_by?: { role: string; id: string };
  changed_at?: Time;
}

// A courier's way in a replay: each number is the difference from the one before.
export interface ReplayCourier {
  id: string;
  name: string;
  vehicle: Vehicle;
  way: { at: number[]; lat: number[]; lng: number[] };
  duty?: { at: number; duty: Duty }[];
}

export interface ReplayOrder {
  id: string;
  reference?: string;
  pickup: Point;
  dropoff: Point;
  due?: Time;
  steps: { at: number; status: OrderStatus; courier?: string }[];
}

export interface Offer {
  id: string;
  deadline: Time;
  orders: string[];
  stops: Stop[];
  distance?: number;
  to_pickup?: number;
}

export interface DayOrder {
  order: string;
  reference?: string;
  status: OrderStatus;
  at: Time;
  pickup?: string;
  dropoff?: string;
  distance: number;
  pay?: Money;
  late?: boolean;
  reason?: string;
  proof?: Proof;
}

export interface Day {
  from: Time;
  to: Time;
  delivered: number;
  failed: number;
  distance: number;
  earned: Money[];
  duty: { duty: 'available' | 'break'; from: Time; to: Time }[];
  orders: DayOrder[];
}

export interface ViewPlace {
  address?: string;
  point: Point;
  note?: string;
}

export interface View {
  reference?: string;
  status: OrderStatus;
  version: number;
  steps?: Partial<Record<OrderStatus, Time>>;
  pickup?: ViewPlace;
  dropoff?: ViewPlace;
  items?: string;
  courier?: { name?: string; vehicle?: Vehicle; phone?: string };
  stops_before?: number;
  pin?: string;
  eta?: Window;
  ready_at?: Time;
  promise?: Time;
  late?: boolean;
  fix?: Fix;
  reason?: string;
  proof?: Proof;
}

export interface TrackingLink {
  id: string;
  secret: string;
  url: string;
  expires_at: Time;
}

export interface PageConfig {
  version: string;
  mode: string;
  demo: boolean;
  rate: number;
  center: Point;
  zoom: number;
  map_style_url: string;
  basemap: boolean;
}
