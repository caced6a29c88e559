/** From the queue to the collector. An event leaves the queue only when the collector has answered for it. */
import { DAY, clearTimeout, ignore, now, quiet, setTimeout } from "./safe";
import { type Entry, all, mine, remove, spill } from "./store";
import { drop, stats } from "./stats";

const { fetch } = globalThis;
const MOST = 50;
/** Requests that outlive their page share 64 KiB: one batch leaves room for what a page sends as it goes. */
const MAX_SIZE = 40_000;
const TIMEOUT = 10_000;
const PATIENCE = 15_000;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 300_000;
const UNTIL = "_cs.until";

interface Answer {
  status: number;
  /** What the collector says of each event; an answer without it is not the collector's. */
  verdict?: { accepted?: unknown; rejected?: number } | undefined;
  wait?: number;
}

let endpoint = "";
let isShared = false;
let most = MOST;
let failures = 0;
let notBefore = 0; // by our own patience
let until = 0; // by the collector's word
let due = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let current: AbortController | undefined;
let work: Promise<unknown> = Promise.resolve();
let prepare: () => void = ignore;
/** What a request carries that outlives this page. */
const flying = new Set<string>();

export function sendTo(url: string): void {
  endpoint = url;
}

/** Whether other tabs have the same queue, so that one at a time must send. */
export function setShared(may: boolean): void {
  isShared = may;
}

/** Done before each sending: events that are still held back join the queue. */
export function beforeSending(task: () => void): void {
  prepare = task;
}

/** Send in `wait` milliseconds, or sooner if that was asked for; later, if the collector is in trouble. */
export function schedule(wait: number): void {
  const at = Math.max(now() + wait, notBefore, blockedUntil());
  if (timer && at >= due) return;
  clearTimeout(timer);
  due = at;
  timer = setTimeout(() => void flush(), at - now());
}

/** Send what waits. Settles when it is acknowledged, or has failed for now. */
export function flush(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  quiet(prepare);
  return (work = work.then(() => (isShared ? alone(sendAll) : sendAll())).catch(ignore)) as Promise<void>;
}

/** The network is back. */
export function retryNow(): void {
  notBefore = 0;
  schedule(0);
}

/** Nothing of this page is to be sent any more. */
export function abort(): void {
  mine.clear();
  current?.abort();
}

/** The page goes, perhaps for good: hand over what no request carries. It stays stored, as nobody will see the answer. */
export function leave(): void {
  spill();
  if (blockedUntil() > now()) return;
  let left = [...mine.values()].filter(({ id }) => !flying.has(id));
  let count = MOST;
  while (left[0] && count) {
    const batch = take(left, count);
    if (quiet(() => navigator.sendBeacon(endpoint, body(batch)))) {
      batch.forEach(({ id }) => flying.add(id));
      left = left.slice(batch.length);
    } else count = batch.length >> 1;
  }
}

/** The page was kept, and is shown again. Nobody has seen the answers to what it sent as it went. */
export function comeBack(): void {
  flying.clear();
  schedule(0);
}

async function sendAll(): Promise<void> {
  for (;;) {
    const batch = blockedUntil() > now() ? [] : take(await all(), most);
    if (!batch[0]) break;
    const wait = await settle(batch, await post(batch));
    if (wait) return schedule(wait);
  }
  if (mine.size) schedule(FIRST_WAIT);
}

/** Act on an answer. Returns how long to wait; 0 to go on. */
async function settle(batch: Entry[], { status, verdict, wait }: Answer): Promise<number> {
  const isOurs = typeof verdict?.accepted == "number";
  const isRefused = status >= 400 && status < 500 && status != 408 && status != 429;
  if (isOurs && (status == 200 || status == 400)) {
    stats.sent += verdict!.accepted as number;
    drop("rejected", verdict!.rejected);
    most = Math.min(MOST, most * 2);
  } else if (isRefused && batch[1] && (status == 413 || (!isOurs && (status == 400 || status == 403)))) {
    most = batch.length >> 1; // too much at once, or a firewall that dislikes one of them
    return 0;
  } else if (isRefused) {
    drop(status, batch.length);
  } else return retryAfter(wait);
  failures = notBefore = 0;
  await remove(batch);
  return 0;
}

function retryAfter(asked = 0): number {
  most = Math.max(1, most >> 1); // a slow line may carry less
  failures++;
  if (asked > 0) {
    until = now() + Math.min(asked, DAY);
    quiet(() => isShared && localStorage.setItem(UNTIL, "" + until));
    return asked * (1 + Math.random() / 10);
  }
  const wait = Math.random() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
  notBefore = now() + wait;
  return wait;
}

async function post(batch: Entry[]): Promise<Answer> {
  const keepalive = !(failures & 1); // the page's own requests may have used up the 64 KiB
  if (keepalive) batch.forEach(({ id }) => flying.add(id));
  const request = (current = new AbortController());
  const limit = setTimeout(() => request.abort(), TIMEOUT);
  const answer: Answer = { status: 0 };
  try {
    const response = await fetch(endpoint, {
      method: "POST",
      body: body(batch), // as text/plain, which needs no preflight
      credentials: "omit",
      referrerPolicy: "origin",
      signal: request.signal,
      keepalive,
    });
    answer.status = response.status;
    const header = response.headers.get("retry-after");
    answer.wait = header ? +header * 1_000 || Date.parse(header) - now() : 0;
    answer.verdict = await response.json();
  } catch {
    // No connection, or an answer that is not the collector's: what is known of it decides.
  }
  clearTimeout(limit);
  batch.forEach(({ id }) => flying.delete(id));
  return answer;
}

function take(entries: Entry[], count: number): Entry[] {
  let size = 0;
  return entries.slice(0, count).filter(({ text }, index) => (size += text.length) < MAX_SIZE || !index);
}

const body = (batch: Entry[]): string => `{"sent_at":${now()},"events":[${batch.map(({ text }) => text)}]}`;

function blockedUntil(): number {
  const shared = isShared ? quiet(() => +localStorage.getItem(UNTIL)!) || 0 : 0;
  const time = Math.max(until, shared);
  return time - now() > DAY ? 0 : time; // a clock was set back
}

/** One tab at a time, where the browser can say so. A tab that is stuck is not waited for: repeats do no harm. */
async function alone(task: () => Promise<void>): Promise<void> {
  const patience = new AbortController();
  const limit = setTimeout(() => patience.abort(), PATIENCE);
  const locked = quiet(() =>
    navigator.locks.request("_cs", { signal: patience.signal }, () => (clearTimeout(limit), task())),
  );
  await (locked ? locked.catch(task) : task());
}
