import { admin as adminEn, common as commonEn, track as trackEn } from '../messages/en';
import { shortId } from '../messages/format';
import { pick } from '../messages/locale';
import { admin as adminRu, common as commonRu, track as trackRu } from '../messages/ru';
import type { Order } from '../protocol/types';
import type { Fleet } from './fleet.svelte';

export const t = pick({ en: adminEn, ru: adminRu });
export const common = pick({ en: commonEn, ru: commonRu });

export function nameOf(order: Order): string {
  return order.reference || shortId(order.id);
}

export function reasonText(reason: string | undefined): string {
  if (!reason) return '';
  return common.failReasons[reason as keyof typeof common.failReasons] ?? reason;
}

export const mapFailed = pick({ en: trackEn, ru: trackRu }).mapFailed;

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

// named puts names where the server's sentence has ids.
export function named(text: string | undefined, fleet: Fleet): string {
  return (text ?? '').replace(ID, (id) => {
    const order = fleet.order(id);
    return order ? nameOf(order) : (fleet.courier(id)?.name ?? shortId(id));
  });
}
