/** From a call to an event in the queue: what every event says, and who may be named on it. */
import { capped, isDnt, isGpc, isLess } from "./consent";
import { abort, schedule, setShared } from "./delivery";
import { forget, identify } from "./identity";
import { json } from "./privacy";
import { eventTime, quiet, timeOf, uuid } from "./safe";
import { drop } from "./stats";
import { type Entry, add, setDurable, wipe } from "./store";
import type { Consent, Fields, Options } from "./types";

declare const VERSION: string;
const MAX_WAITING = 100;
const MAX_SIZE = 60_000; // the collector takes 64 KiB
const SOON = 1_000;

/** An event that does not yet say who. */
interface Draft extends Entry {
  name: string;
}

export const page = { url: "", referrer: "" };
let options: Options = {};
let level: Consent = "none";
const waiting: Draft[] = []; // for consent, in memory only
let held: ((isReplaced?: boolean) => number | void) | undefined;

export function configure(given: Options): void {
  options = given;
}

/** Put an event into the queue, at the time `time`. */
export function emit(name: string, fields?: Fields, time?: number): void {
  const heldSince = held?.(name == "view_product");
  const at = time ?? heldSince ?? eventTime();
  const id = uuid(at);
  const { webdriver } = navigator; // which counts as a bot
  const props = { ...(webdriver && { webdriver }), ...fields?.props };
  const text = json({ ...context(), ...fields, props, event_id: id, event_name: name, event_timestamp: at });
  if (text.length > MAX_SIZE) return drop("too_large");
  if (level != "none") accept({ id, text, name });
  else if (waiting.push({ id, text, name }) > MAX_WAITING) drop("full", +!!waiting.shift());
}

/** Hold a page view back for a moment: on a product's page the view of the product takes its place, and by then a page
 * that was made by a script has its title. Any other event lets it go first. */
export function holdPageView(fields?: Fields): void {
  held?.();
  const time = eventTime();
  const there = { page_url: page.url, referrer: page.referrer };
  held = (isReplaced) => {
    held = undefined;
    if (isReplaced) return time;
    return emit("page_view", { ...there, ...fields }, time);
  };
  schedule(SOON);
}

export const letGo = (): void => void held?.();

/** What the visitor agrees to from now on. With less than before, what was not sent goes. */
export function setLevel(asked: Consent, isDecision?: boolean): void {
  const next = capped(asked, options);
  if (isLess(next, level)) {
    held = undefined;
    abort();
  }
  level = next;
  const isGranted = level == "granted";
  setDurable(isGranted);
  setShared(isGranted);
  // A browser that has said no since its last visit is heard, too.
  if (!isGranted && (isDecision || asked == "granted")) {
    forget();
    wipe();
  }
  if (level != "none") waiting.splice(0).forEach(accept);
}

export const mayStore = (): boolean => level == "granted";

function accept({ id, text, name }: Draft): void {
  const who = identify(mayStore(), name != "engagement", timeOf(id));
  if (!who) return;
  if (isLeftOut("" + (who.client_id ?? who.session_id))) return drop("sampled");
  const rest = { ...who, consent: level, is_gpc: isGpc(), is_dnt: isDnt() };
  add({ id, text: text.slice(0, -1) + "," + json(rest, true).slice(1) });
  schedule(name == "purchase" ? 0 : SOON);
}

/** The last digits of an id are as random as can be. */
const isLeftOut = (id: string): boolean => parseInt(id.slice(-6), 16) / 2 ** 24 >= +(options.sample ?? 1);

function context(): Fields {
  const { language, maxTouchPoints, platform } = navigator;
  const isTablet = /Mac/.test(platform) && maxTouchPoints > 1; // an iPad says that it is a Mac
  return {
    page_url: location.href.split("#")[0]!,
    page_title: quiet(() => document.title) as string,
    referrer: page.referrer,
    device: { language, screen: `${screen.width}x${screen.height}`, ...(isTablet && { type: "tablet" }) },
    tracker_version: VERSION,
  };
}
