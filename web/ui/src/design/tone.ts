import * as icons from './icons';
import type { CourierState, OrderStatus } from '../protocol/types';

export type Tone = 'ok' | 'info' | 'warn' | 'bad' | 'mute';

export const orderTone: Record<OrderStatus, Tone> = {
  placed: 'mute',
  searching: 'warn',
  offered: 'warn',
  assigned: 'info',
  at_pickup: 'info',
  picked_up: 'info',
  at_dropoff: 'info',
  delivered: 'ok',
  failed: 'bad',
  returned: 'mute',
  cancelled: 'mute',
  unassignable: 'bad',
};

export const orderIcon: Record<OrderStatus, string> = {
  placed: icons.clock,
  searching: icons.search,
  offered: icons.bell,
  assigned: icons.arrow,
  at_pickup: icons.store,
  picked_up: icons.box,
  at_dropoff: icons.home,
  delivered: icons.check,
  failed: icons.alert,
  returned: icons.undo,
  cancelled: icons.cross,
  unassignable: icons.alert,
};

export const courierTone: Record<CourierState, Tone> = {
  free: 'ok',
  offered: 'warn',
  busy: 'info',
  break: 'mute',
  stale: 'bad',
  offline: 'mute',
};

export const courierIcon: Record<CourierState, string> = {
  free: icons.check,
  offered: icons.bell,
  busy: icons.box,
  break: icons.pause,
  stale: icons.alert,
  offline: icons.power,
};
