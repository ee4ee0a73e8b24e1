import type { Order } from '../protocol/types';
import { actionsFor, type Action } from './actions';
import { isWaiting } from './queue';

// predict is the order as it will be if the server agrees. Its version stays:
// whatever the server says next is newer.
export function predict(action: Action, order: Order, reason: string, courier: string, now: number): Order {
  const at = new Date(now).toISOString();
  switch (action) {
    case 'assign':
    case 'reassign':
      return { ...order, status: 'assigned', courier, eta: undefined, times: { ...order.times, assigned: at } };
    case 'unassign':
    case 'retry':
      return { ...order, status: 'searching', courier: undefined, eta: undefined, times: { ...order.times, searching: at } };
    case 'pin':
      return { ...order, pinned: courier };
    case 'unpin':
      return { ...order, pinned: undefined };
    case 'cancel':
      return { ...order, status: 'cancelled', reason, eta: undefined, times: { ...order.times, cancelled: at } };
    case 'return':
      return { ...order, status: 'returned', reason, times: { ...order.times, returned: at } };
  }
}

// What has no way back waits a moment before it is sent.
export function isFinal(action: Action): boolean {
  return action === 'cancel' || action === 'return';
}

export interface Deed {
  action: Action;
  courier: string;
}

// inverse is what takes an action back, as the order is now; undefined if
// nothing does.
export function inverse(action: Action, before: Order, now: Order): Deed | undefined {
  const back = way(action, before, now);
  return back && actionsFor(now).includes(back.action) ? back : undefined;
}

function way(action: Action, before: Order, now: Order): Deed | undefined {
  switch (action) {
    case 'assign':
      return { action: 'unassign', courier: '' };
    case 'reassign':
    case 'unassign':
      return before.courier ? { action: isWaiting(now) ? 'assign' : 'reassign', courier: before.courier } : undefined;
    case 'pin':
      return before.pinned ? { action: 'pin', courier: before.pinned } : { action: 'unpin', courier: '' };
    case 'unpin':
      return before.pinned ? { action: 'pin', courier: before.pinned } : undefined;
    default:
      return undefined;
  }
}
