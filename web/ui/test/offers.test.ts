import { beforeEach, expect, test } from 'vitest';
import { Offers } from '../src/courier/offers.svelte';
import type { Offer } from '../src/protocol/types';

const deadline = Date.parse('2026-11-23T09:00:30Z');
const offer = (id: string): Offer => ({ id, deadline: new Date(deadline).toISOString(), orders: ['o1'], stops: [] });
let offers: Offers;

beforeEach(() => {
  offers = new Offers();
  offers.add(offer('f1'));
});

const gone = () => offers.cards.map((card) => card.gone ?? 'open');

test('an offer that comes twice is one', () => {
  expect(offers.add(offer('f1'))).toBe(false);
  expect(offers.cards).toHaveLength(1);
});

test('one that is closed does not come back', () => {
  offers.close('f1', 'declined');
  expect(offers.add(offer('f1'))).toBe(false);
  expect(offers.cards).toHaveLength(0);
});

test.each([
  ['expired', undefined, '', 'expired'],
  ['withdrawn', 'cancelled', 'customer called', 'cancelled'],
  ['withdrawn', 'assigned', 'closer', 'taken'],
  ['withdrawn', 'searching', 'mistake', 'withdrawn'],
] as const)('%s while the order is %s says why it is gone', (state, status, reason, want) => {
  offers.close('f1', state, reason, status);
  expect(gone()).toEqual([want]);
});

test('an offer that the courier’s own break took back needs no word', () => {
  offers.close('f1', 'withdrawn', 'break', 'searching');
  expect(offers.cards).toHaveLength(0);
});

test('what happened while the phone was away is told as well as it can be', () => {
  offers.keepNone(deadline - 1);
  expect(gone()).toEqual(['withdrawn']);
  offers.close('f1', 'withdrawn', '', 'cancelled');
  expect(gone()).toEqual(['cancelled']);
});

test('a new offer takes the place of one that is gone', () => {
  offers.end('f1', 'expired');
  offers.add(offer('f2'));
  expect(offers.cards.map((card) => card.offer.id)).toEqual(['f2']);
});
