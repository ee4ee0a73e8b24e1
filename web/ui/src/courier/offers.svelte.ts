import type { OfferEnd } from '../protocol/frames';
import type { Offer, OrderStatus } from '../protocol/types';

export type Gone = 'expired' | 'taken' | 'cancelled' | 'withdrawn';

export interface Card {
  offer: Offer;
  gone?: Gone;
}

// Offers are what the courier is asked, and for a moment what it is not asked
// any more.
export class Offers {
  cards = $state.raw<Card[]>([]);
  private readonly closed = new Set<string>();

  get open(): Card[] {
    return this.cards.filter((card) => !card.gone);
  }

  // add returns whether the offer is new here.
  add(offer: Offer): boolean {
    if (this.closed.has(offer.id) || this.cards.some((card) => card.offer.id === offer.id)) return false;
    this.cards = [...this.cards.filter((card) => !card.gone), { offer }];
    return true;
  }

  // close takes what the server says; status is that of the first order.
  close(id: string, state: OfferEnd, reason = '', status?: OrderStatus): void {
    this.closed.add(id);
    const byCourier = state === 'accepted' || state === 'declined' || reason === 'break' || reason === 'off';
    if (byCourier) this.drop(id);
    else this.end(id, state === 'expired' ? 'expired' : goneBy(status));
  }

  // end leaves the card for the courier to read. What is known more exactly
  // afterwards replaces "withdrawn".
  end(id: string, gone: Gone): void {
    this.closed.add(id);
    const said = (card: Card) => card.gone && card.gone !== 'withdrawn';
    this.cards = this.cards.map((card) => (card.offer.id === id && !said(card) ? { ...card, gone } : card));
  }

  // keepNone is for a server that knows of no open offer: what happened to
  // those here was told while the phone was away.
  keepNone(now: number): void {
    for (const { offer } of this.open) this.end(offer.id, Date.parse(offer.deadline) <= now ? 'expired' : 'withdrawn');
  }

  drop(id: string): void {
    this.cards = this.cards.filter((card) => card.offer.id !== id);
  }
}

function goneBy(status?: OrderStatus): Gone {
  if (status === 'cancelled') return 'cancelled';
  return status && taken.has(status) ? 'taken' : 'withdrawn';
}

const taken: ReadonlySet<OrderStatus> = new Set(['offered', 'assigned', 'at_pickup', 'picked_up', 'at_dropoff', 'delivered'] as const);
