/** Engaged time: what passes between signs of life of a visitor, with no more than half a minute for any pause. */
import { emit, page } from "./events";
import { onLeave } from "./pages";
import { now, on } from "./safe";

const LONGEST_PAUSE = 30_000;
const BEAT = 15_000;
const LEAST = 1_000;
const SIGNS = ["pointerdown", "pointermove", "keydown", "scroll"];

export function watchEngagement(): void {
  let last = now();
  let engaged = 0;
  const count = () => {
    const time = now();
    engaged += Math.max(0, Math.min(time - last, LONGEST_PAUSE));
    last = time;
  };
  const report = () => {
    if (!document.hidden || engaged) count();
    if (engaged >= LEAST) emit("engagement", { page_url: page.url, props: { engaged_ms: engaged } });
    engaged = 0;
  };
  const beat = () => {
    count();
    if (engaged >= BEAT) report();
  };
  for (const sign of SIGNS) on(window, sign, beat, { capture: true, passive: true });
  on(document, "visibilitychange", () => (last = now()));
  on(window, "pageshow", () => (last = now()));
  onLeave(report);
}
