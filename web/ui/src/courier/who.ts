import type { By } from '../protocol/types';
import { t } from './texts';

// whoOf is what a courier calls whoever changed something; '' if nobody is known.
export function whoOf(by: By | undefined): string {
  switch (by) {
    case undefined:
      return '';
    case 'admin':
    case 'dispatcher':
      return t.by.dispatch;
    case 'merchant':
      return t.by.sender;
    case 'customer':
      return t.by.customer;
    case 'courier':
      return t.by.own;
    default:
      return t.by.system;
  }
}
