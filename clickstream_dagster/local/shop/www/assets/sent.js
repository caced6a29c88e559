/** The panel "What was sent": each event of this tab, newest first, with the collector's answer. */
import { html, part, show } from "./html.js";
import { level } from "./consent.js";

const log = window.sentLog;
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** What an event is about, in a few words. */
function about({ product, quantity, order, search_query: query, props, page_url: url }) {
  if (product) return `${quantity ? `${quantity} × ` : ""}${product.name}`;
  if (order) return `${order.id ?? ""} ${order.value} ${order.currency}`.trim();
  if (query) return `“${query}”, ${props?.results ?? "?"} found`;
  if (props?.engaged_ms) return `${(props.engaged_ms / 1_000).toFixed(1)} s on ${new URL(url).pathname}`;
  return props?.element ?? (url ? new URL(url).pathname : "");
}

const line = ({ event, answer }) => html`<li><details>
  <summary><span><b>${event.event_name}</b> ${about(event)}</span>
    <small><time>${time.format(event.event_timestamp)}</time> · <span class="${answer == "accepted" ? "good" : "open"}">${answer}</span></small></summary>
  <pre tabindex="0">${JSON.stringify(event, null, 2)}</pre>
</details></li>`;

async function render() {
  const entries = log.entries();
  const waiting = (await window.clickstream?.pending?.()) ?? 0;
  const dropped = Object.entries(window.clickstream?.stats?.dropped ?? {}).map(([reason, count]) => `, ${count} dropped (${reason})`);
  show("sent-state", html`Consent: <b>${level() ?? "not asked for yet"}</b> · ${entries.length} sent from this tab, ${waiting} waiting${dropped}`);
  show("sent-list", entries.length ? entries.toReversed().map(line) : html`<li class="muted">Nothing yet.</li>`);
}

export function togglePanel() {
  const isOpen = part("sent").hidden;
  part("sent").hidden = !isOpen;
  document.body.classList.toggle("with-panel", isOpen);
  part("open-sent").setAttribute("aria-expanded", isOpen);
  log.setOpen(isOpen);
  if (isOpen) render();
}

show("sent", html`<div class="sent-head"><h2>What was sent</h2>
    <button class="link" id="clear-sent">Clear</button> <button class="link" id="close-sent">Close</button></div>
  <p class="muted" id="sent-state"></p><ol id="sent-list"></ol>
  <p class="muted">Then load it into the tables: <code>clickstream materialize</code></p>`);
part("close-sent").addEventListener("click", togglePanel);
part("clear-sent").addEventListener("click", log.clear);
part("sent").addEventListener("keydown", ({ key }) => key == "Escape" && togglePanel());
log.addEventListener("change", () => part("sent").hidden || render());
