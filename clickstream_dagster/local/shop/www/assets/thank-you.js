import { asOrder, orderOf } from "./basket.js";
import { summary } from "./cart-lines.js";
import { html, show } from "./html.js";
import { tell } from "./tell.js";

const order = orderOf(new URLSearchParams(location.search).get("order"));

// On each load of this page, as a shop does that knows no better. The order's id makes a reload harmless: the warehouse has
// one order, however often it hears of it.
if (order) tell("purchase", { id: order.id, ...asOrder(order.lines) });

show("thanks", order
  ? html`<p class="tick" aria-hidden="true">✓</p><h1>Thank you</h1>
      <p>Your order is <strong id="order-id">${order.id}</strong>. Reload this page if you like: it stays one order.</p>
      ${summary(order.lines)}<p><a class="button" href="/shop/">Go on shopping</a> <a class="button plain" href="/shop/account">Your orders</a></p>`
  : html`<h1>No such order</h1><p>Orders are kept in the browser that placed them.</p><p><a class="button" href="/shop/">To the shop</a></p>`);
