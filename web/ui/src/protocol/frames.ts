import type {
  Alert,
  By,
  CellCount,
  Courier,
  Duty,
  Fix,
  FleetCourier,
  Offer,
  Order,
  OrderStatus,
  Plan,
  Role,
  Stats,
  StopKind,
  Time,
  View,
  Window,
} from './types';

// The start of every stream.
export interface Auth {
  type: 'auth';
  token: string;
}

export interface Resume {
  type: 'resume';
  seq: number;
}

// CourierResume says for how many seconds answers to fixes may be gathered.
export interface CourierResume extends Resume {
  patience?: number;
}

export interface Beat {
  type: 'beat';
}

export interface Welcome {
  type: 'welcome';
  now: Time;
  rate: number;
  role: Role;
  id: string;
  seq: number;
}

export interface ErrorFrame {
  type: 'error';
  code: string;
  detail?: string;
  id?: string;
}

export type TrackFrame =
  | { type: 'snapshot'; seq: number; view: View; history?: { seq: number; status: OrderStatus; time: Time }[] }
  | { type: 'status'; seq: number; status: OrderStatus; time: Time; view: View }
  | { type: 'eta'; eta?: Window; stops_before?: number }
  | { type: 'position'; fix: Fix; age: number }
  | { type: 'ended'; reason: string };

export type CourierFrame =
  | Ack
  | { type: 'plan'; seq: number; duty: Duty; courier: Courier; plan: Plan }
  | { type: 'offer'; seq: number; offer: Offer }
  | { type: 'offer.closed'; seq: number; offer: string; state: OfferEnd; reason?: string; status?: OrderStatus }
  | { type: 'order'; seq: number; order: string; status: OrderStatus; by?: By; reason?: string };

export type OfferEnd = 'accepted' | 'declined' | 'expired' | 'withdrawn';

export interface Ack {
  type: 'ack';
  id: string;
  ok: boolean;
  code?: string;
  detail?: string;
  by?: By;
  accepted?: number;
  retry_after?: number; // s, of fixes that were held back
  late?: number[];
  rejected?: { index: number; reason: string }[];
}

export type DeclineReason = 'too_far' | 'busy' | 'vehicle' | 'break' | 'other';
export type FailReason =
  | 'closed'
  | 'not_ready'
  | 'no_answer'
  | 'wrong_address'
  | 'refused'
  | 'damaged'
  | 'courier_problem'
  | 'other';

export interface GivenProof {
  pin?: string;
  note?: string;
  photo?: string;
  signature?: string;
}

// What a courier sends, before it is given its id.
export type CourierAction =
  | { type: 'duty'; duty: Duty }
  | { type: 'fixes'; fixes: Fix[] }
  | { type: 'offer.accept'; offer: string }
  | { type: 'offer.decline'; offer: string; reason: DeclineReason }
  | { type: 'stop.arrive'; order: string; kind: StopKind; at: Time }
  | { type: 'stop.complete'; order: string; kind: StopKind; at: Time; proof?: GivenProof }
  | { type: 'stop.fail'; order: string; kind: StopKind; at: Time; reason: FailReason; note?: string };

export type CourierCommand = CourierAction & { id: string };

export type FleetFrame =
  | {
      type: 'snapshot';
      seq: number;
      partial: boolean;
      orders: Order[];
      couriers: FleetCourier[];
      alerts: Alert[];
      stats: Stats;
    }
  | { type: 'orders'; seq: number; orders: Order[] }
  | { type: 'couriers'; seq: number; couriers: FleetCourier[]; removed?: string[] }
  | { type: 'cells'; seq: number; resolution: number; cells: CellCount[] }
  | { type: 'alert'; seq: number; alert: Alert }
  | { type: 'stats'; seq: number; stats: Stats };

export interface Bounds {
  south: number;
  west: number;
  north: number;
  east: number;
}

export interface FleetView {
  type: 'view';
  bounds: Bounds;
  zoom: number;
  cells: boolean;
}
