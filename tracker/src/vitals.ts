/** How fast a page felt: one event for each page load, when it is first left. */
import { emit } from "./events.js";
import { leaving } from "./pages.js";
import { quiet } from "./safe.js";
import { state } from "./state.js";

export function watchVitals(): void {
  const vitals = { lcp_ms: 0, inp_ms: 0, cls: 0 };
  const watch = (type: string, note: (entry: any) => void) =>
    quiet(() =>
      new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({
        type,
        buffered: true,
      } as PerformanceObserverInit),
    );
  watch("largest-contentful-paint", ({ startTime }) => (vitals.lcp_ms = Math.round(startTime)));
  watch("event", ({ interactionId, duration }) => interactionId && (vitals.inp_ms = Math.max(vitals.inp_ms, duration)));
  // Shifts count in bursts: no second between two of them, and no more than five in all.
  let first = 0;
  let last = 0;
  let sum = 0;
  watch("layout-shift", ({ value, startTime, hadRecentInput }) => {
    if (hadRecentInput) return;
    if (startTime - last > 1_000 || startTime - first > 5_000) sum = first = 0;
    first ||= startTime;
    last = startTime;
    vitals.cls = Math.max(vitals.cls, (sum += value));
  });
  leaving.push(() => {
    leaving.pop();
    emit("web_vitals", { page_url: state.url, props: vitals });
  });
}
