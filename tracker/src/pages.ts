/** Page views: the first, those of the History API, and pages that come back as they were left. */
import { holdPageView, page } from "./events";
import { on } from "./safe";
import type { Fields } from "./types";

const leaving: (() => void)[] = [];
let path = "";

/** Called when the shown page is about to be another one, or none. */
export function onLeave(work: () => void): void {
  leaving.push(work);
}

export const leavePage = (): void => leaving.forEach((work) => work());

export function viewPage(fields?: Fields): void {
  if (page.url) leavePage();
  const url = location.href.split("#")[0]!;
  page.referrer = page.url && page.url != url ? page.url : page.referrer || document.referrer;
  page.url = url;
  path = location.pathname;
  holdPageView(fields);
}

export function watchPages(isSpa: boolean): void {
  viewPage();
  on(window, "pageshow", ({ persisted }: PageTransitionEvent) => persisted && viewPage());
  if (!isSpa) return;
  const look = () => location.pathname != path && viewPage();
  follow("pushState", look);
  follow("replaceState", look);
  on(window, "popstate", look);
}

/** The page's own call comes first and keeps its result and its errors; ours cannot add one. */
function follow(name: "pushState" | "replaceState", look: () => void): void {
  const original = history[name];
  history[name] = function (this: History, ...given: Parameters<History["pushState"]>) {
    original.apply(this, given);
    try {
      look();
    } catch {
      // A page view of ours is not worth the shop's navigation.
    }
  };
}
