/** What the visitor has agreed to, in this tab and the others, and what their browser asks for. */
import { on, quiet } from "./safe.js";
import { state } from "./state.js";
import type { Consent } from "./types.js";

const WORD = "_cs.consent";
const LEVELS = ["none", "essential", "granted"];

export const isLevel = (level: unknown): level is Consent => LEVELS.includes(level as Consent);

/** `granted` is only had where neither the shop nor the visitor's browser says less. */
export function capped(level: Consent): Consent {
  const { cookieless, gpc } = state.options;
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean };
  const isAsked = gpc != "ignore" && (globalPrivacyControl || doNotTrack == "1");
  return level == "granted" && ((cookieless ?? "off") != "off" || isAsked) ? "essential" : level;
}

/** Other tabs hear of it by a key that is gone at once: no decision is stored here, that is the shop's to keep. */
export function tellTabs(level: Consent): void {
  quiet(() => {
    localStorage.setItem(WORD, level);
    localStorage.removeItem(WORD);
  });
}

export function hearTabs(decide: (level: Consent) => void): void {
  on(window, "storage", ({ key, newValue }: StorageEvent) => key == WORD && isLevel(newValue) && decide(newValue));
}
