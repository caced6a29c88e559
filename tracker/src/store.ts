/** The queue: every event stands in the first store that takes it until it is acknowledged; tabs share the stores. */
import { DAY, ignore, quiet, setTimeout, timeOf, now } from "./safe";
import { drop } from "./stats";

export interface Entry {
  id: string;
  text: string;
  isStored?: boolean;
}

const DATABASE = "_cs";
const PREFIX = "_cs.q."; // one key for each event: tabs that rewrite one list overwrite each other
const PATIENCE = 3_000; // some browsers leave a request to the database without any answer
const MAX_AGE = 7 * DAY;
const LIMITS = { events: 500, size: 512 * 1_024 };
const LOCAL_LIMITS = { events: 64, size: 128 * 1_024 }; // the shop needs the localStorage, too

/** This page's events that nobody has acknowledged. */
export const mine = new Map<string, Entry>();
let database: Promise<IDBDatabase> | undefined;
let isDurable = false;

/** Whether the stores may be used at all. */
export function setDurable(may: boolean): void {
  isDurable = may;
}

export function add(entry: Entry): void {
  mine.set(entry.id, entry);
  if (mine.size > LIMITS.events) lose([mine.values().next().value!], "full");
  if (isDurable)
    transact("readwrite", (events) => events.put({ id: entry.id, text: entry.text })).then(
      () => (entry.isStored = true),
      () => spillOne(entry),
    );
}

/** All that waits in this browser, oldest first. */
export async function all(): Promise<Entry[]> {
  const found = new Map<string, Entry>();
  if (isDurable) {
    const wereStored = [...mine.values()].filter((entry) => entry.isStored);
    const kept = await transact<Entry[]>("readonly", (events) => events.getAll()).catch(() => []);
    for (const entry of [...kept, ...local()]) found.set(entry.id, entry);
    // What was stored and no longer is, another tab has sent.
    for (const { id } of wereStored) if (!found.has(id)) mine.delete(id);
  }
  mine.forEach((entry) => found.has(entry.id) || found.set(entry.id, entry));
  return inBounds([...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1)));
}

/** These are done with. */
export async function remove(entries: Entry[]): Promise<void> {
  for (const { id } of entries) {
    mine.delete(id);
    quiet(() => isDurable && localStorage.removeItem(PREFIX + id));
  }
  if (isDurable)
    await transact("readwrite", (events) => void entries.forEach(({ id }) => events.delete(id))).catch(ignore);
}

/** The page goes: what the database has not confirmed goes to localStorage, which needs no waiting. */
export function spill(): void {
  if (isDurable) mine.forEach((entry) => entry.isStored || spillOne(entry));
}

/** Remove the queue from every store. */
export function wipe(): void {
  local().forEach(({ id }) => localStorage.removeItem(PREFIX + id));
  close();
  quiet(() => indexedDB.deleteDatabase(DATABASE));
}

function lose(entries: Entry[], reason: string): void {
  if (!entries[0]) return;
  drop(reason, entries.length);
  void remove(entries);
}

function inBounds(entries: Entry[]): Entry[] {
  const oldest = now() - MAX_AGE;
  const young = entries.filter(({ id }) => timeOf(id) > oldest);
  lose(entries.filter((entry) => !young.includes(entry)), "old");
  const first = firstWithin(young, LIMITS);
  lose(young.slice(0, first), "full");
  return young.slice(first);
}

/** Where the newest entries begin that are within the limits. */
function firstWithin(entries: Entry[], { events, size }: typeof LIMITS): number {
  let first = entries.length;
  while (first && entries.length - first < events && (size -= entries[first - 1]!.text.length) >= 0) first--;
  return first;
}

function spillOne(entry: Entry): void {
  quiet(() => {
    if (!mine.has(entry.id) || firstWithin([entry, ...local()], LOCAL_LIMITS)) return;
    localStorage.setItem(PREFIX + entry.id, entry.text);
    entry.isStored = true;
  });
}

function local(): Entry[] {
  const keys = quiet(() => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))) ?? [];
  return keys.flatMap((key) => {
    const text = localStorage.getItem(key) ?? "";
    if (quiet(() => JSON.parse(text))) return { id: key.slice(PREFIX.length), text };
    localStorage.removeItem(key); // not whole: it would spoil its neighbours in a batch
    return [];
  });
}

function open(): Promise<IDBDatabase> {
  return (database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("q", { keyPath: "id" });
    request.onerror = reject;
    request.onsuccess = () => {
      request.result.onversionchange = close; // another tab wipes it
      resolve(request.result);
    };
  }));
}

function close(): void {
  database?.then((opened) => opened.close(), ignore);
  database = undefined;
}

function transact<T>(mode: IDBTransactionMode, work: (events: IDBObjectStore) => IDBRequest | void): Promise<T> {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE);
    open()
      .then((opened) => {
        const transaction = opened.transaction("q", mode);
        const request = work(transaction.objectStore("q"));
        transaction.oncomplete = () => resolve(request?.result);
        transaction.onerror = transaction.onabort = reject;
        if (mode == "readwrite") transaction.commit?.(); // a page that is killed now has written
      })
      .catch(reject);
  });
}
