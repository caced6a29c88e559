/** The browser's own functions, taken before the page changes them, and ways to call them that never throw. */

export const { setTimeout, clearTimeout } = globalThis;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
const dateNow = Date.now;

/** The result of `work`; nothing, if it throws. */
export function quiet<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** For promises whose failure needs no answer. */
export const ignore = (): undefined => undefined;

/** Milliseconds since 1970. A page that has broken `Date.now` does not break this. */
export function now(): number {
  const time = quiet(dateNow) as number;
  return Math.floor(time > 1e12 && time < 1e13 ? time : performance.timeOrigin + performance.now());
}

let latest = 0;

/** The time of an event: no two events of a page have the same, so that their order is never lost. */
export function eventTime(): number {
  const time = now();
  latest = time <= latest && latest - time < 1_000 ? latest + 1 : time;
  return latest;
}

/** A UUID, version 7: ids sort by the time they were made at. */
export function uuid(time: number): string {
  const random = () => (crypto.getRandomValues(new Uint8Array(1))[0]! & 15).toString(16);
  const head = time.toString(16).padStart(12, "0").replace(/^.{8}/, "$&-");
  return `${head}-7xxx-8xxx-xxxxxxxxxxxx`.replace(/x/g, random);
}

/** The time that is written in such an id. */
export const timeOf = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** Listen, and never let the page see a failure of ours. */
export function on(target: EventTarget, name: string, work: (event: any) => void, options?: AddEventListenerOptions): void {
  target.addEventListener(name, (event) => void quiet(() => work(event)), options);
}
