// Couriers who would cover each other are drawn as one group.
export interface Group {
  key: number;
  x: number; // of the world, where its members are on average
  y: number;
  count: number;
  free: number;
}

const CELL = 72; // pixels at the level's zoom
const NEAR = 44; // groups closer than this would touch
const LEAST = 4; // fewer stand alone

export interface Grouped {
  groups: Group[];
  member: Uint8Array; // 1: this one is in a group
}

// gather puts points into groups for a whole zoom level: by a fixed grid, so
// that a group stays itself while its members move, then neighbours that would
// touch become one. `open` says who may be grouped at all.
export function gather(
  count: number,
  x: (slot: number) => number,
  y: (slot: number) => number,
  level: number,
  open: (slot: number) => boolean,
  free: (slot: number) => boolean,
): Grouped {
  const across = (512 * 2 ** level) / CELL; // cells around the world
  const cells = new Map<number, Group>();
  const key = (column: number, row: number) => row * 2 ** 26 + column;
  const home = new Float64Array(count);
  for (let slot = 0; slot < count; slot++) {
    if (!open(slot)) {
      home[slot] = -1;
      continue;
    }
    const px = x(slot);
    const py = y(slot);
    const at = key(Math.floor(px * across), Math.floor(py * across));
    home[slot] = at;
    let group = cells.get(at);
    if (!group) cells.set(at, (group = { key: at, x: 0, y: 0, count: 0, free: 0 }));
    group.x += (px - group.x) / ++group.count;
    group.y += (py - group.y) / group.count;
    if (free(slot)) group.free++;
  }
  const taken = merge(cells, NEAR / CELL / across);
  const member = new Uint8Array(count);
  const groups: Group[] = [];
  for (const group of cells.values()) if (group.count >= LEAST) groups.push(group);
  const shown = new Set(groups.map((group) => group.key));
  for (let slot = 0; slot < count; slot++) {
    let at = home[slot]!;
    while (taken.has(at)) at = taken.get(at)!;
    if (shown.has(at)) member[slot] = 1;
  }
  return { groups, member };
}

// merge lets larger groups take in neighbours they would touch, and says who
// was taken by whom.
function merge(cells: Map<number, Group>, near: number): Map<number, number> {
  const taken = new Map<number, number>();
  const bySize = [...cells.values()].sort((a, b) => b.count - a.count || a.key - b.key);
  const row = 2 ** 26;
  const around = [-row - 1, -row, -row + 1, -1, 1, row - 1, row, row + 1];
  for (const group of bySize) {
    if (taken.has(group.key)) continue;
    for (const step of around) {
      const other = cells.get(group.key + step);
      if (!other || other.count > group.count || Math.hypot(other.x - group.x, other.y - group.y) > near) continue;
      const all = group.count + other.count;
      group.x += ((other.x - group.x) * other.count) / all;
      group.y += ((other.y - group.y) * other.count) / all;
      group.count = all;
      group.free += other.free;
      cells.delete(other.key);
      taken.set(other.key, group.key);
    }
  }
  return taken;
}
