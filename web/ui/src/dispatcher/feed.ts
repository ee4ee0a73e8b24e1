// The server says its figures every 5 s; so long a silence is none of theirs (s).
export const SILENT = 12;
// So far behind, positions mislead (s).
export const LAGGING = 5;

// lateness is what on the page is old, and by how much; undefined while
// nothing is. Coarse, so that it is not read out every second.
export function lateness(silent: number, lag: number): { of: 'picture' | 'positions'; seconds: number } | undefined {
  if (silent >= SILENT) return { of: 'picture', seconds: Math.floor(silent / 10) * 10 || SILENT };
  return lag > LAGGING ? { of: 'positions', seconds: Math.round(lag) } : undefined;
}
