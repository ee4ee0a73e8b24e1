import { admin as adminEn } from '../messages/en/admin';
import { common as commonEn } from '../messages/en/common';
import { desk as deskEn } from '../messages/en/desk';
import { track as trackEn } from '../messages/en/track';
import { shortId } from '../messages/format';
import { pick } from '../messages/locale';
import { admin as adminRu } from '../messages/ru/admin';
import { common as commonRu } from '../messages/ru/common';
import { desk as deskRu } from '../messages/ru/desk';
import { track as trackRu } from '../messages/ru/track';
import { Problem } from '../protocol/http';
import type { Order, OrderEvent } from '../protocol/types';
import type { Fleet } from './fleet.svelte';
import { why } from './whys';

export const t = pick({ en: adminEn, ru: adminRu });
export const d = pick({ en: deskEn, ru: deskRu });
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

// actorName says who of the staff it was; parts of the server have no names.
export function actorName({ role, id }: OrderEvent['actor']): string {
  const named = d.actors[role];
  return id && named ? d.actor(named, id) : (t.actors[role] ?? role);
}

export function eventName(event: OrderEvent): string {
  if (event.type === 'pinned' && !event.data?.courier) return t.unpinned;
  return t.events[event.type] ?? event.type;
}

// eventDetail is whom it concerned and why, in the words that were given.
export function eventDetail(event: OrderEvent, fleet: Fleet): string {
  const { courier, reason, note } = event.data ?? {};
  const known = reason && reason in common.failReasons;
  return [
    courier && (fleet.courier(courier)?.name ?? shortId(courier)),
    reason && (known ? reasonText(reason) : t.quote(reason)),
    note && t.quote(note),
  ]
    .filter(Boolean)
    .join(' · ');
}

// refusal is why the server would not, as a sentence.
export function refusal(said: string): string {
  const text = why(said);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function problemText(error: unknown): string {
  if (error instanceof Problem && error.status === 0) return common.offline;
  return refusal(error instanceof Error ? error.message : String(error));
}
