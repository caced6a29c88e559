/** From the queue to the collector. An event leaves the queue only when the collector has answered for it. */
import { DAY, after, clearTimeout, fetch, ignore, now, quiet, setTimeout } from "./safe.js";
import { drop, mayStore, state, stats } from "./state.js";
import { type Entry, all, mine, remove, spill } from "./store.js";

const MOST = 50;
/** Requests that outlive their page share 64 KiB: one batch leaves room for what a page sends as it goes. */
const MAX_SIZE = 40_000;
const TIMEOUT = 15_000;
const PATIENCE = 15_000;
const SECOND = 1_000;
const LONGEST_WAIT = 300_000;
const UNTIL = "_cs.until";

/** The status, 0 without an answer; how long to wait, in milliseconds; and what the collector says of the events, without
 * which the answer is not the collector's. */
type Answer = [status: number, asked: number, verdict: Verdict | undefined];
type Verdict = { accepted?: unknown; rejected?: number; warnings?: unknown[] };

let most = MOST;
let failures = 0;
let notBefore = 0; // by our own patience
let until = 0; // by the collector's word
let due = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let sending: Promise<void> = Promise.resolve();
/** What a request carries that outlives this page. */
let flying: Entry[] = [];
let token: string | undefined;
let user: string;

/** From now on this token proves what its own user has done, and nothing else in the queue; without one, nothing. */
export function prove(given: string | undefined, id: string): void {
  token = given;
  user = id;
}

/** Send in `wait` milliseconds, or sooner if that was asked for; later, if the collector is in trouble. */
export function schedule(wait: number): void {
  const at = Math.max(now() + wait, notBefore, until);
  if (timer && at >= due) return;
  clearTimeout(timer);
  due = at;
  timer = setTimeout(flush, at - now());
}

/** Send what waits. Settles when it is acknowledged, or has failed for now. */
export function flush(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  return (sending = sending.then(mayStore() ? alone : sendAll).catch(ignore));
}

/** The network is back. */
export function retryNow(): void {
  notBefore = 0;
  schedule(0);
}

/** The page goes, perhaps for good: hand over what no request carries. It stays stored, as nobody will see the answer, and
 * so it is sent twice: not if the shop's next page will be here in a moment to send it. */
export function leave(): void {
  spill();
  const canWait = now() - state.clicked < SECOND || isBlocked();
  let left = [...mine.values()].filter(
    ({ id, isStored }) => !(canWait && isStored) && !flying.some((sent) => sent.id == id),
  );
  left.sort((a, b) => +!!a.isStored - +!!b.isStored); // first what no store has
  let count = MOST;
  while (left[0] && count) {
    const batch = take(left, count);
    if (quiet(() => navigator.sendBeacon(endpoint(), body(batch)))) left = left.slice(batch.length);
    else count = batch.length >> 1;
  }
}

async function sendAll(): Promise<void> {
  let wait = 0;
  while (!wait && !isBlocked()) {
    const waiting = await all();
    const next = take(waiting.slice(most > 1 ? 0 : failures % waiting.length), most);
    const proven = next.filter(isProven);
    const batch = proven[0] ? proven : next;
    if (!batch[0]) return;
    wait = await settle(batch, await post(batch, proven[0]));
  }
  schedule(wait);
}

/** After a failure the token is left out once: where pages may not send it, no answer can be told from a broken line. */
const isProven = ({ text }: Entry): unknown => token && !(failures & 1) && text.includes(`"${user}"`);

/** Act on an answer. Returns how long to wait; 0 to go on. */
async function settle(batch: Entry[], [status, asked, verdict]: Answer): Promise<number> {
  const isOurs = typeof verdict?.accepted == "number";
  if (isOurs && (status == 200 || status == 400)) {
    stats.sent += verdict!.accepted as number;
    drop("rejected", verdict!.rejected);
    if (verdict!.rejected || verdict!.warnings?.length) console.warn(verdict); // for whoever built the page
    most = Math.min(MOST, most * 2);
  } else if (!/^4(?!08|29)/.test("" + status)) return backOff(asked);
  else if (batch[1] && (status == 413 || !isOurs)) {
    most = batch.length >> 1; // too much at once, or a firewall that dislikes one of them
    return 0;
  } else drop(status, batch.length);
  failures = 0;
  notBefore = 0;
  await remove(batch);
  return 0;
}

function backOff(asked: number): number {
  most = most >> 1 || 1; // a slow line may carry less
  failures++;
  if (asked > 0) {
    until = now() + Math.min(asked * (1 + Math.random() / 10), DAY);
    if (mayStore()) quiet(() => localStorage.setItem(UNTIL, "" + until));
    return SECOND; // at least: `until` says how long
  }
  const wait = Math.random() * Math.min(LONGEST_WAIT, SECOND * 2 ** failures);
  notBefore = now() + wait;
  return wait;
}

async function post(batch: Entry[], proves?: Entry): Promise<Answer> {
  const keepalive = !(failures & 1); // the page's own requests may have used up the 64 KiB
  if (keepalive) flying = batch;
  let status = 0;
  let asked = 0;
  let verdict: Verdict | undefined;
  try {
    const response = await fetch(endpoint() + (proves ? "/auth" : ""), {
      method: "POST",
      headers: (proves && { authorization: "Bearer " + token })!,
      body: body(batch), // as text/plain, which without a token needs no preflight
      credentials: "omit",
      referrerPolicy: "origin",
      signal: after(TIMEOUT),
      keepalive,
    });
    const header = response.headers.get("retry-after");
    status = response.status;
    if (proves && status > 400 && status < 406) {
      token = undefined; // it has expired, or is not for this collector: from now on the user is claimed, not checked
      return post(batch);
    }
    if (header) asked = +header * SECOND || Date.parse(header) - now();
    verdict = await response.json();
  } catch {
    // No connection, or an answer that is not the collector's: what is known of it decides.
  }
  flying = [];
  return [status, asked, verdict];
}

const endpoint = (): string => state.options.endpoint || location.origin + "/clickstream";

function take(entries: Entry[], count: number): Entry[] {
  let size = 0;
  return entries.slice(0, count).filter(({ text }, index) => (size += text.length) < MAX_SIZE || !index);
}

const body = (batch: Entry[]): string => `{"sent_at":${now()},"events":[${batch.map(({ text }) => text)}]}`;

/** Whether the collector has asked to be left alone: this tab, or another one, or an earlier page. */
function isBlocked(): boolean {
  const shared = mayStore() && quiet(() => +localStorage.getItem(UNTIL)!);
  if (shared && shared <= now() + DAY) until = shared; // else a clock was set back
  return until > now();
}

/** One tab at a time, where the browser can say so. A tab that is stuck is not waited for: repeats do no harm. */
async function alone(): Promise<void> {
  await (quiet(() => navigator.locks.request("_cs", { signal: after(PATIENCE) }, sendAll).catch(sendAll)) ?? sendAll());
}
