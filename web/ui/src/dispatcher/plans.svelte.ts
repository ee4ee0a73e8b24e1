import type { Courier, Stop } from '../protocol/types';

// The stream tells where couriers are, not their plans; those are fetched for
// the one that is looked at, and kept for the map to draw.
class Plans {
  private known = $state.raw<{ id: string; stops: Stop[] }>();

  set(courier: Courier): void {
    this.known = { id: courier.id, stops: courier.plan?.stops ?? [] };
  }

  of(id: string): Stop[] {
    return this.known?.id === id ? this.known.stops : [];
  }
}

export const plans = new Plans();
