/** What is on every page: consent, who is signed in, the cart's count, the panel. */
import { pieces } from "./basket.js";
import { level, tellConsent, watchConsent } from "./consent.js";
import { customer, tellCustomer } from "./customer.js";
import { part } from "./html.js";
import { showAndFollow } from "./kept.js";
import { togglePanel } from "./sent.js";

// Consent first: what is told after it is then sent, or not, as the visitor has chosen.
tellConsent();
const tellWho = () => level() == "granted" && tellCustomer();
tellWho();
watchConsent(tellWho);

export function showFrame() {
  const count = pieces();
  part("cart-count").textContent = count;
  part("cart-count").hidden = !count;
  const name = customer()?.name;
  const link = part("account-link");
  link.href = name ? "/shop/account" : "/shop/sign-in";
  link.querySelector("span").textContent = name ?? "Sign in";
}

showAndFollow(showFrame);
for (const link of document.querySelectorAll(".categories a"))
  if (link.pathname == location.pathname) link.setAttribute("aria-current", "page");
document.querySelector(".finder input").value = new URLSearchParams(location.search).get("q") ?? "";
part("open-sent").addEventListener("click", togglePanel);
if (window.sentLog.isOpen()) togglePanel();
