/** What the modules share: one page has one tracker. */
import type { Consent, Options, Stats } from "./types.js";

export const state = {
  options: {} as Options,
  level: "none" as Consent,
  /** The page of the latest page view, and what led to it. */
  here: "",
  cameFrom: "",
  /** When a link to another page of the shop was last clicked. */
  clicked: 0,
  /** What is to be done when the shown page goes. */
  leaving: (): void => {},
};

export const stats: Stats = { sent: 0, dropped: {} };

/** Whether this browser's storage may be used. It is what tabs share, too. */
export const mayStore = (): boolean => state.level == "granted";

export function drop(reason: string | number, count = 1): void {
  if (count) stats.dropped[reason] = (stats.dropped[reason] ?? 0) + count;
}
