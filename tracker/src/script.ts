/** For a script tag: options from its data attributes, and the calls that were made before it had loaded. */
import { quiet } from "./safe";
import { start } from "./tracker";
import type { Options, Tracker } from "./types";

declare global {
  interface Window {
    clickstream?: Tracker | [name: string, ...given: unknown[]][];
  }
}

quiet(() => {
  const early = window.clickstream;
  if (early && !Array.isArray(early)) return; // the tag is there twice
  const tag = document.currentScript;
  window.clickstream = start({ ...(tag as HTMLScriptElement | null)?.dataset } as Options);
  if (early) window.clickstream.push(...early);
});
