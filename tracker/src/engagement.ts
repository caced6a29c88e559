/** Engaged time: what passes between signs of life of a visitor, with no more than half a minute for any pause. */
import { emit } from "./events.js";
import { on } from "./safe.js";
import { state } from "./state.js";

const LONGEST_PAUSE = 30_000;
const BEAT = 15_000;
const LEAST = 1_000;

export function watchEngagement(): void {
  let last = document.hidden ? 0 : performance.now();
  let engaged = 0;
  const tell = (least: number) => {
    const time = performance.now();
    if (last) engaged += Math.min(time - last, LONGEST_PAUSE);
    last = time;
    if (engaged < least) return;
    emit("engagement", { page_url: state.here, props: { engaged_ms: ~~engaged } });
    engaged = 0;
  };
  for (const sign of ["pointerdown", "pointermove", "keydown", "scroll"]) on(window, sign, () => tell(BEAT));
  on(document, "visibilitychange", () => (last = document.hidden ? 0 : performance.now()));
  state.leaving = () => tell(LEAST);
}
