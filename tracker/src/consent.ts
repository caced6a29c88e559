/** What the visitor has agreed to, in this tab and the others, and what their browser asks for. */
import { on, quiet } from "./safe";
import type { Consent, Options } from "./types";

const WORD = "_cs.consent";
const RANK: Record<string, number> = { none: 0, essential: 1, granted: 2 };

export const isGpc = (): boolean => (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;
export const isDnt = (): boolean => navigator.doNotTrack == "1";

/** `granted` is only had where neither the shop nor the visitor's browser says less. */
export function capped(level: Consent, options: Options): Consent {
  const isCookieless = options.cookieless != null && "" + options.cookieless != "false";
  const isCapped = isCookieless || (options.gpc != "ignore" && (isGpc() || isDnt()));
  return level == "none" || (level == "granted" && !isCapped) ? level : "essential";
}

export const isLess = (level: Consent, than: Consent): boolean => RANK[level]! < RANK[than]!;
export const isLevel = (level: unknown): level is Consent => RANK[level as string] != null;

/** Other tabs hear of it by a key that is gone at once: no decision is stored here, that is the shop's to keep. */
export function tellTabs(level: Consent): void {
  quiet(() => localStorage.setItem(WORD, level));
  quiet(() => localStorage.removeItem(WORD));
}

export function hearTabs(decide: (level: Consent) => void): void {
  on(window, "storage", ({ key, newValue }: StorageEvent) => key == WORD && isLevel(newValue) && decide(newValue));
}
