import type { Order } from '../protocol/types';
import { isEnded, isWaiting } from './queue';

export type Action = 'assign' | 'reassign' | 'unassign' | 'pin' | 'unpin' | 'cancel' | 'retry' | 'return';

// actionsFor lists what the server would accept now, the likeliest first.
export function actionsFor(order: Order): Action[] {
  if (order.status === 'failed') return ['return'];
  if (isEnded(order)) return [];
  const loaded = order.status === 'picked_up' || order.status === 'at_dropoff';
  if (loaded) return [];
  const list: Action[] = [];
  if (order.status === 'unassignable') list.push('retry');
  list.push(isWaiting(order) ? 'assign' : 'reassign');
  if (!isWaiting(order)) list.push('unassign');
  if (isWaiting(order)) list.push(order.pinned ? 'unpin' : 'pin');
  list.push('cancel');
  return list;
}

export function needsCourier(action: Action): boolean {
  return action === 'assign' || action === 'reassign' || action === 'pin';
}

// gives says that an action gives an order to a courier, whoever has it.
export function gives(action: Action): boolean {
  return action === 'assign' || action === 'reassign';
}

export function request(action: Action, order: Order, reason: string, courier: string): { path: string; body: object } {
  const path = `/orders/${order.id}/${action === 'reassign' ? 'assign' : action === 'unpin' ? 'pin' : action}`;
  const body: Record<string, unknown> = { reason, version: order.version };
  if (needsCourier(action)) body['courier'] = courier;
  if (action === 'unpin') body['courier'] = '';
  return { path, body };
}
