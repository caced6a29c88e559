/** The queue: every event stands in the first store that takes it until it is acknowledged; tabs share the stores. */
import { DAY, ignore, now, quiet, setTimeout, timeOf } from "./safe.js";
import { mayStore, stats } from "./state.js";

export interface Entry {
  id: string;
  text: string;
  isStored?: boolean;
}

const DATABASE = "_cs";
const PREFIX = "_cs.q."; // one key for each event: tabs that rewrite one list overwrite each other
const PATIENCE = 3_000; // some browsers leave a request to the database without any answer
const MAX_AGE = 7 * DAY;
const MOST = 500;
const MAX_SIZE = 500_000;
const MOST_LOCAL = 64; // the shop needs the localStorage, too
const MAX_LOCAL_SIZE = 130_000;

/** This page's events that nobody has acknowledged. */
export const mine = new Map<string, Entry>();
const lost = new Set<string>();
let database: Promise<IDBDatabase> | undefined;
let isOpen = false;

export function add(entry: Entry): void {
  mine.set(entry.id, entry);
  if (mine.size > MOST) lose([...mine.values()].slice(0, 1));
  if (!mayStore()) return;
  if (!isOpen) spillOne(entry); // a young page may be killed, too
  transact((events) => events.put({ id: entry.id, text: entry.text })).then(
    () => (entry.isStored = true),
    () => spillOne(entry),
  );
}

/** All that waits in this browser, oldest first. */
export async function all(): Promise<Entry[]> {
  const found = new Map<string, Entry>();
  const kept = mayStore() && (await transact<Entry[]>((events) => events.getAll()).catch(ignore));
  // Asked again: consent may have been withdrawn meanwhile.
  if (mayStore()) for (const entry of [...(kept || []), ...local()]) found.set(entry.id, entry);
  for (const entry of mine.values())
    if (!entry.isStored || !kept) found.set(entry.id, entry);
    else if (!found.has(entry.id)) mine.delete(entry.id); // another tab has sent it
  const entries = [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const first = firstWithin(entries, MOST, MAX_SIZE);
  lose(entries.slice(0, first));
  return entries.slice(first);
}

/** These are done with. */
export async function remove(entries: Entry[]): Promise<void> {
  for (const { id } of entries) {
    mine.delete(id);
    quiet(() => mayStore() && localStorage.removeItem(PREFIX + id));
  }
  if (mayStore() && entries[0])
    await transact((events) => void entries.forEach(({ id }) => events.delete(id))).catch(ignore);
}

/** The page goes: what the database has not confirmed goes to localStorage, which needs no waiting. */
export function spill(): void {
  if (mayStore()) mine.forEach((entry) => entry.isStored || spillOne(entry));
}

/** Remove the queue from every store. */
export function wipe(): void {
  for (const { id } of local()) localStorage.removeItem(PREFIX + id);
  quiet(() => localStorage.removeItem("_cs.until"));
  close();
  quiet(() => indexedDB.deleteDatabase(DATABASE));
}

function lose(entries: Entry[]): void {
  // By id, since two looks at the queue at once find the same ones.
  for (const { id } of entries) stats.dropped.expired = lost.add(id).size;
  void remove(entries);
}

/** Where the newest entries begin that are within the limits. */
function firstWithin(entries: Entry[], most: number, size: number): number {
  const oldest = now() - MAX_AGE;
  let first = entries.length;
  for (let entry; (entry = entries[first - 1]) && most-- && (size -= entry.text.length) > 0; first--)
    if (timeOf(entry.id) < oldest) break;
  return first;
}

function spillOne(entry: Entry): void {
  quiet(() => {
    if (!mine.has(entry.id) || firstWithin([entry, ...local()], MOST_LOCAL, MAX_LOCAL_SIZE)) return;
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

/** The sooner it is open, the sooner an event is safe. */
export function open(): Promise<IDBDatabase> {
  return (database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE);
    request.onupgradeneeded = () => request.result.createObjectStore("q", { keyPath: "id" });
    request.onerror = reject;
    request.onsuccess = () => {
      request.result.onversionchange = close; // another tab wipes it
      isOpen = true;
      resolve(request.result);
    };
  }));
}

function close(): void {
  database?.then((opened) => opened.close(), ignore);
  database = undefined;
  isOpen = false;
}

function transact<T>(work: (events: IDBObjectStore) => IDBRequest | void): Promise<T> {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE);
    open()
      .then((opened) => {
        const transaction = opened.transaction("q", "readwrite");
        const request = work(transaction.objectStore("q"));
        transaction.oncomplete = () => resolve(request?.result);
        transaction.onabort = reject;
        transaction.commit?.(); // a page that is killed now has written
      })
      .catch(reject);
  });
}
