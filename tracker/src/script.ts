/** For a script tag: options from its data attributes, and the calls that were made before it had loaded. */
import { quiet } from "./safe.js";
import { start } from "./tracker.js";
import type { Options, Tracker } from "./types.js";

declare global {
  interface Window {
    clickstream?: Tracker | [name: string, ...given: unknown[]][];
  }
}

quiet(() => {
  const early: any = window.clickstream; // perhaps an element of that name
  if (early?.stats) return; // the tag is there twice
  const tag = document.currentScript ?? document.querySelector("[data-endpoint],[data-consent]");
  window.clickstream = start({ ...(tag as HTMLScriptElement | null)?.dataset } as Options);
  if (early?.map) window.clickstream.push(...early);
});
