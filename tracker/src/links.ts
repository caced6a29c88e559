/** Clicks on links that lead to other hosts, and on files. The click itself is left alone. */
import { emit } from "./events.js";
import { now, on } from "./safe.js";
import { state } from "./state.js";

const FILE = /\.(zip|pdf|docx?|xlsx?|csv|exe|dmg|mp[34])$/i;

export function watchLinks(): void {
  const look = ({ target, button }: MouseEvent) => {
    const link = (target as Element).closest("a");
    if (!link || button > 1 || !/^http/.test(link.protocol)) return;
    const isFile = FILE.test(link.pathname);
    if (isFile || link.origin != location.origin)
      emit("click", { props: { element: isFile ? "file" : "outbound", url: link.href.split("#")[0] } });
    else if (!link.hash && !link.target) state.clicked = now();
  };
  on(document, "click", look);
  on(document, "auxclick", look); // the middle button
}
