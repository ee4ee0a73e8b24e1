export interface Viewed {
  count: number;
  // Pixels: how far the list is scrolled, how much of it shows, a row.
  top: number;
  height: number;
  row: number;
}

// Rows drawn beyond each edge, so that a fast scroll finds them there.
const OVER = 6;

// drawn are the indices of the rows to draw: those in sight, and the one that
// the keyboard is on, wherever it is.
export function drawn({ count, top, height, row }: Viewed, active: number): number[] {
  const first = Math.max(0, Math.min(count, Math.floor(top / row)) - OVER);
  const end = Math.min(count, Math.ceil((top + height) / row) + OVER);
  const indices = Array.from({ length: Math.max(0, end - first) }, (_, place) => first + place);
  if (active < 0 || active >= count) return indices;
  if (active < first) return [active, ...indices];
  return active >= end ? [...indices, active] : indices;
}

// revealing is where to scroll to so that a row is in sight.
export function revealing({ top, height, row }: Viewed, index: number): number {
  const from = index * row;
  if (from < top) return from;
  return from + row > top + height ? from + row - height : top;
}

// step is where a key takes the keyboard; undefined is no key of a list.
export function step(key: string, { count, height, row }: Viewed, active: number): number | undefined {
  const page = Math.max(1, Math.floor(height / row) - 1);
  const moves: Record<string, number> = {
    ArrowDown: active + 1,
    j: active + 1,
    ArrowUp: active - 1,
    k: active - 1,
    PageDown: active + page,
    PageUp: active - page,
    Home: 0,
    End: count - 1,
  };
  const next = moves[key];
  return next === undefined || count === 0 ? undefined : Math.max(0, Math.min(count - 1, next));
}
