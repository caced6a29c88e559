/** What became of the events. */
import type { Stats } from "./types";

export const stats: Stats = { sent: 0, dropped: {} };

export function drop(reason: string | number, count = 1): void {
  if (count) stats.dropped[reason] = (stats.dropped[reason] ?? 0) + count;
}
