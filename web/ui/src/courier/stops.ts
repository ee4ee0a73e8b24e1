import * as icons from '../design/icons';
import { placeName } from '../messages/format';
import type { Stop, StopKind } from '../protocol/types';

export const stopIcon: Record<StopKind, string> = { pickup: icons.store, dropoff: icons.home, return: icons.undo };

export function stopTitle(stop: Stop): string {
  return stop.address || stop.contact?.name || placeName(stop);
}
