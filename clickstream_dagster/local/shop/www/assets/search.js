import { cards } from "./cards.js";
import { search } from "./catalogue.js";
import { html, part, show } from "./html.js";
import { tell } from "./tell.js";

const TRIED = ["gaming laptop", "4k monitor", "wireless keyboard", "vertical mouse", "usb-c dock", "nvme"];
const query = (new URLSearchParams(location.search).get("q") ?? "").trim();
const found = search(query);

if (query) tell("search", query, { results: found.length });
part("heading").textContent = query ? `“${query}”` : "Search";
part("count").textContent = query ? `${found.length || "No"} product${found.length == 1 ? "" : "s"} found` : "";
show("found", cards(found));
show("suggestions", TRIED.map((words) => html`<li><a class="chip" href="/shop/search?q=${encodeURIComponent(words)}">${words}</a></li>`));
part("nothing").hidden = found.length > 0;
