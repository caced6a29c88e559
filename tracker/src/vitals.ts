/** How fast a page felt, for shops that ask: a script of its own, which stands before the tracker's. One `web_vitals` event for
 * each page load, when the page is first left or hidden. */
const vitals = { lcp_ms: 0, inp_ms: 0, cls: 0 };

function watch(type: string, note: (entry: any) => void): void {
  try {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(note));
    observer.observe({ type, buffered: true } as PerformanceObserverInit);
  } catch {
    // A browser that does not measure this.
  }
}

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

const page_url = location.href.split("#")[0];
let isTold = false;
/** The tracker listens to the same events, after this script: what is told now goes out with the rest. */
function tell(): void {
  if (isTold) return;
  isTold = true;
  ((window as any).clickstream ||= []).push(["track", "web_vitals", { page_url, props: vitals }]);
}
addEventListener("visibilitychange", () => document.hidden && tell(), true);
addEventListener("pagehide", tell, true);
