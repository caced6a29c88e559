/** The lines of a cart or an order, and their sum. */
import { html } from "./html.js";
import { money, paid, total } from "./money.js";

export const summary = (lines) => html`
  <ul class="lines">${lines.map(({ product, quantity }) => html`<li><span>${quantity} × ${product.name}</span>
    <span>${money(total([{ product, quantity }]))}</span></li>`)}</ul>
  ${sum(lines)}`;

export const sum = (lines) => html`<dl class="sum"><dt>Delivery</dt><dd>free</dd><dt>Total</dt><dd class="total">${money(total(lines))}</dd></dl>`;

export const each = (product) => html`<p class="muted">${money(paid(product))} each</p>`;
