/** Clicks on links that lead to other hosts, and on files. The click itself is left alone. */
import { emit } from "./events.js";
import { on } from "./safe.js";

const FILE = /\.(pdf|zip|docx?|xlsx?|csv|exe|dmg|mp[34])$/i;

export function watchLinks(): void {
  const look = ({ target }: MouseEvent) => {
    const link = (target as Element).closest("a");
    if (!link || !/^http/.test(link.protocol)) return;
    const isFile = FILE.test(link.pathname);
    if (isFile || link.host != location.host)
      emit("click", { props: { element: isFile ? "file" : "outbound", url: link.href } });
  };
  on(document, "click", look);
  on(document, "auxclick", look); // the middle button
}
