/** Clicks on links that lead to other hosts, and on files. The click itself is left alone. */
import { emit } from "./events";
import { on } from "./safe";

const FILE = /\.(pdf|zip|rar|7z|gz|dmg|exe|msi|apk|docx?|xlsx?|pptx?|csv|txt|rtf|epub|mp[34]|wav|mov|avi|iso)$/i;

export function watchLinks(): void {
  const look = ({ target }: MouseEvent) => {
    const link = (target as Element).closest<HTMLAnchorElement>("a[href]");
    if (!link || !/^http/.test(link.protocol)) return;
    const isFile = FILE.test(link.pathname);
    if (!isFile && link.host == location.host) return;
    emit("click", { props: { element: isFile ? "file" : "outbound", url: link.href } });
  };
  const options = { capture: true, passive: true };
  on(document, "click", look, options);
  on(document, "auxclick", look, options); // the middle button
}
