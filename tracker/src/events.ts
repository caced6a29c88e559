/** From a call to an event in the queue: what every event says, and who may be named on it. */
import { capped } from "./consent.js";
import { schedule } from "./delivery.js";
import { forget, identify } from "./identity.js";
import { json } from "./privacy.js";
import { address, eventTime, ignore, quiet, setTimeout, timeOf, uuid } from "./safe.js";
import { drop, mayStore, state } from "./state.js";
import { add, mine, open, wipe } from "./store.js";
import type { Consent, Fields } from "./types.js";

declare const VERSION: string;
const MOST_WAITING = 100;
const MAX_SIZE = 60_000; // the collector takes 64 KiB
const SOON = 1_000;

/** An event that does not yet say who: id, name, JSON. */
type Draft = [id: string, name: string, text: string];

export const waiting: Draft[] = []; // for consent, in memory only
let isRefused: boolean | undefined;
let held: ((isReplaced: boolean) => number | void) | undefined;

/** Put an event into the queue, as of `time`. */
export function emit(name: string, fields?: Fields, time?: number): void {
  if (isRefused) return;
  const since = held?.(name == "view_product");
  const at = time ?? since ?? eventTime();
  const id = uuid(at);
  const { webdriver } = navigator; // which counts as a bot
  const props = { webdriver: webdriver || undefined, ...fields?.props };
  const text = json({ ...context(), ...fields, props, event_id: id, event_name: name, event_timestamp: at });
  if (text.length > MAX_SIZE || waiting.length >= MOST_WAITING) return drop("too_much");
  waiting.push([id, name, text]);
  release();
}

/** Hold a page view back for a moment: on a product's page the view of the product takes its place, and by then a page
 * that was made by a script has its title. Any other event lets it go first. */
export function holdPageView(fields?: Fields): void {
  letGo();
  const time = eventTime();
  const there = { page_url: state.here, referrer: state.cameFrom, ...fields };
  held = (isReplaced) => {
    held = undefined;
    return isReplaced ? time : quiet(() => emit("page_view", there, time));
  };
  setTimeout(() => {
    letGo();
    schedule(0);
  }, SOON);
}

export const letGo = (): void => void held?.(false);

/** What the visitor agrees to from now on. With less than before, what was not sent goes. */
export function setLevel(asked: Consent, isDecision?: boolean): void {
  const next = capped(asked);
  isRefused = isDecision && next == "none"; // what is done after a no is nobody's, whatever comes later
  if (isRefused) waiting.length = 0;
  if (next == "none" || (mayStore() && next != "granted")) {
    held = undefined;
    mine.clear();
  }
  state.level = next;
  if (mayStore()) open().catch(ignore);
  else if (isDecision || asked != next) {
    // A browser that has begun to say no since its last visit is heard, too.
    forget();
    wipe();
  }
  release();
}

function release(): void {
  if (state.level != "none") waiting.splice(0).forEach(accept);
}

function accept([id, name, text]: Draft): void {
  const who = identify(timeOf(id), !/^(engagement|web_vitals)$/.test(name));
  if (!who) return;
  // The last digits of an id are as random as can be.
  const share = parseInt(((who.client_id ?? who.session_id) as string).slice(-6), 16) / 2 ** 24;
  if (!(share < +(state.options.sample ?? 1))) return; // a share that is no number is nobody's
  const rest = json({ ...who, consent: state.level }, true);
  add({ id, text: text.slice(0, -1) + "," + rest.slice(1) });
  schedule(/^(checkout|purchase)$/.test(name) ? 0 : SOON); // often the last thing before a page of somebody else's
}

function context(): Fields {
  const { language, maxTouchPoints, platform } = navigator;
  const isTablet = /Mac/.test(platform) && maxTouchPoints > 1; // an iPad says that it is a Mac
  return {
    page_url: address(),
    page_title: "" + document.title, // which a form of that name would hide
    referrer: state.cameFrom,
    device: { language, screen: screen.width + "x" + screen.height, ...(isTablet && { type: "tablet" }) },
    tracker_version: VERSION,
  };
}
