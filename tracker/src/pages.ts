/** Page views: the first, those of the History API, and pages that come back as they were left. */
import { holdPageView } from "./events.js";
import { address, on, quiet } from "./safe.js";
import { state } from "./state.js";
import type { Fields } from "./types.js";

let path = "";

/** The shown page is about to be another one, or none. */
export const leavePage = (): void => quiet(state.leaving);

export function viewPage(fields?: Fields): void {
  const url = address();
  if (state.here) leavePage();
  if (state.here != url) state.cameFrom = state.here || "" + document.referrer;
  state.here = url;
  path = location.pathname;
  state.clicked = 0;
  holdPageView(fields);
}

export function watchPages(): void {
  const look = () => location.pathname != path && viewPage();
  follow("pushState", look);
  follow("replaceState", look);
  on(window, "popstate", look);
}

/** The page's own call comes first and keeps its errors; ours cannot add one. */
function follow(name: "pushState" | "replaceState", look: () => void): void {
  const original = history[name];
  history[name] = function (this: History, ...given: Parameters<History["pushState"]>) {
    original.apply(this, given);
    quiet(look);
  };
}
