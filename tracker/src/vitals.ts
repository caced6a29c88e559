/** How fast a page felt: one event for each page, when it is first left. */
import { emit, page } from "./events";
import { onLeave } from "./pages";
import { quiet } from "./safe";

const SHIFT_GAP = 1_000;
const SHIFT_WINDOW = 5_000;

export function watchVitals(): void {
  const vitals: Record<string, number> = {};
  const watch = (type: string, note: (entry: any) => void) =>
    quiet(() =>
      new PerformanceObserver((list) => quiet(() => list.getEntries().forEach(note))).observe({
        type,
        buffered: true,
        durationThreshold: 40,
      } as PerformanceObserverInit),
    );
  const [navigation] = performance.getEntriesByType("navigation") as any[];
  const from = (time: number) => Math.max(0, Math.round(time - (navigation?.activationStart ?? 0)));
  vitals.ttfb_ms = from(navigation?.responseStart ?? 0);
  watch("paint", ({ name, startTime }) => name == "first-contentful-paint" && (vitals.fcp_ms = from(startTime)));
  watch("largest-contentful-paint", ({ startTime }) => (vitals.lcp_ms = from(startTime)));
  watch("event", ({ interactionId, duration }) => {
    if (interactionId) vitals.inp_ms = Math.max(vitals.inp_ms ?? 0, duration);
  });
  let first = 0;
  let last = 0;
  let sum = 0;
  vitals.cls = 0;
  watch("layout-shift", ({ value, startTime, hadRecentInput }) => {
    if (hadRecentInput) return;
    const isSame = startTime - last < SHIFT_GAP && startTime - first < SHIFT_WINDOW;
    if (!isSame) first = startTime;
    last = startTime;
    sum = isSame ? sum + value : value;
    vitals.cls = Math.max(vitals.cls!, Math.round(sum * 1e4) / 1e4);
  });
  let isTold = false;
  onLeave(() => {
    if (isTold) return;
    isTold = true;
    emit("web_vitals", { page_url: page.url, props: vitals });
  });
}
