import type { Money, Stop } from '../protocol/types';

// paid adds up what stops bring, by currency: one order, one amount.
export function paid(stops: Pick<Stop, 'order' | 'kind' | 'pay'>[]): Money[] {
  const sums = new Map<string, number>();
  for (const { kind, pay } of stops) {
    if (kind === 'dropoff' && pay) sums.set(pay.currency, (sums.get(pay.currency) ?? 0) + pay.amount);
  }
  return [...sums].map(([currency, amount]) => ({ currency, amount }));
}
