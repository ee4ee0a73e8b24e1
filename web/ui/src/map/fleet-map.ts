import type { Bounds } from '../protocol/frames';
import type { CellCount, FleetCourier, Point, StopKind, Zone } from '../protocol/types';
import type { CellMode } from './cells';
import type { Base } from './engine';
import type { Flock } from './flock';
import type { Spot } from './overlay';
import type { Shape } from './shape';

export interface Mark {
  point: Point;
  kind: StopKind;
}

// Moment is the fleet at a time that is past.
export interface Moment {
  place: (flock: Flock) => void;
}

export interface Draft {
  shape: Shape;
  drawing: boolean;
}

export type Picked = 'courier' | 'order' | 'zone';

export interface FleetMapProps {
  couriers: { revision: number; items: ReadonlyMap<string, FleetCourier> };
  waiting: Spot[];
  moment?: Moment;
  trails: Point[][];
  cells: CellCount[];
  mode?: CellMode;
  zones: Zone[];
  zone?: string;
  draft?: Draft;
  courier?: string;
  marks: Mark[];
  line: Point[];
  // Changes when the map should move to what is marked.
  focus: string;
  follow: boolean;
  label: string;
  corner: (n: number, of: number) => string;
  addCorner: (n: number) => string;
  describe: (kind: 'courier' | 'order', id: string) => string;
  onpick: (kind: Picked, id: string) => void;
  ondraft: (shape: Shape) => void;
  onclosed: () => void;
  onview: (bounds: Bounds, zoom: number) => void;
  onbase: (base: Base) => void;
  onunfollow: () => void;
  onfail: () => void;
}
