import { giveBack, orders } from "./basket.js";
import { summary } from "./cart-lines.js";
import { customer, signOut } from "./customer.js";
import { html, part, show } from "./html.js";
import { showAndFollow } from "./kept.js";

const order = ({ id, at, lines, isReturned }) => html`<li class="panel">
  <h3>${id}</h3><p class="muted">${new Date(at).toLocaleString("en-GB")}</p>${summary(lines)}
  ${isReturned ? html`<p class="muted">Given back.</p>` : html`<button class="plain" data-return="${id}">Give it back</button>`}
</li>`;

const greeting = (who) => who
  ? html`<h1>Hello, ${who.name}</h1><p class="muted">You are customer <code>${who.sub}</code>.</p><button class="plain" id="sign-out">Sign out</button>`
  : html`<h1>Your orders</h1><p>You are not signed in. <a href="/shop/sign-in">Sign in</a></p>`;

showAndFollow(() => show("account", html`<div class="head"><div>${greeting(customer())}</div></div>
  <section aria-labelledby="orders-title"><h2 id="orders-title">Orders from this browser</h2>
  <ul class="orders">${orders().map(order)}</ul>${!orders()[0] && html`<p class="muted">None yet.</p>`}</section>`));

part("account").addEventListener("click", ({ target }) => {
  if (target.id == "sign-out") {
    signOut();
    location.assign("/shop/");
  } else if (target.dataset.return) {
    giveBack(target.dataset.return);
    dispatchEvent(new Event("storage")); // show what has changed
  }
});
