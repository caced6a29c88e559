/** The browser's own functions, taken before the page changes them, and ways to call them that never throw. */

export const { setTimeout, clearTimeout, fetch } = globalThis;
export const DAY = 86_400_000;
const Clock = Date;

/** The result of `work`; nothing, if it throws. */
export function quiet<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {}
  return;
}

/** For promises whose failure needs no answer. */
export const ignore = (): void => {};

/** Milliseconds since 1970. Not by `Date.now`, which pages replace. */
export const now = (): number => +new Clock();

let latest = 0;

/** The time of an event: no two events of a page have the same, so that their order is never lost. */
export function eventTime(): number {
  const time = now();
  latest = time <= latest && latest - time < 1_000 ? latest + 1 : time;
  return latest;
}

/** A UUID, version 7: ids sort by the time that they were made at. */
export function uuid(time: number): string {
  const random = () => (crypto.getRandomValues(new Uint8Array(1))[0]! & 15).toString(16);
  return `0${time.toString(16)}-7xxx-8xxx-xxxxxxxxxxxx`.replace(/^.{8}/, "$&-").replace(/x/g, random);
}

/** The time that is written in such an id. */
export const timeOf = (id: string): number => parseInt(id.replace("-", ""), 16);

/** A signal that stops what has not ended after `wait` milliseconds. */
export function after(wait: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), wait);
  return controller.signal;
}

/** The address of this page. A fragment may hold anything, and is nobody's business. */
export const address = (): string => location.href.split("#")[0]!;

/** Listen before the page does, and never let it see a failure of ours. */
export function on(target: EventTarget, name: string, work: (event: any) => void): void {
  target.addEventListener(name, (event) => quiet(() => work(event)), true);
}
