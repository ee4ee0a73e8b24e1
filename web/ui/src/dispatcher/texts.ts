import { admin as adminEn, common as commonEn, track as trackEn } from '../messages/en';
import { pick } from '../messages/locale';
import { admin as adminRu, common as commonRu, track as trackRu } from '../messages/ru';
import type { Order } from '../protocol/types';

export const t = pick({ en: adminEn, ru: adminRu });
export const common = pick({ en: commonEn, ru: commonRu });

export function nameOf(order: Order): string {
  return order.reference || `…${order.id.slice(-6)}`;
}

export function reasonText(reason: string | undefined): string {
  if (!reason) return '';
  return common.failReasons[reason as keyof typeof common.failReasons] ?? reason;
}

export const mapFailed = pick({ en: trackEn, ru: trackRu }).mapFailed;
