import { lines, setQuantity } from "./basket.js";
import { each, sum } from "./cart-lines.js";
import { showFrame } from "./frame.js";
import { html, part, show } from "./html.js";
import { showAndFollow } from "./kept.js";
import { money, total } from "./money.js";
import { picture } from "./pictures.js";

const row = ({ product, quantity }) => html`<li class="row" data-id="${product.id}">
  <a href="${product.url_path}" tabindex="-1" aria-hidden="true">${picture(product)}</a>
  <div><h2><a href="${product.url_path}">${product.name}</a></h2>${each(product)}</div>
  <input type="number" value="${quantity}" min="0" max="99" aria-label="Quantity of ${product.name}" inputmode="numeric">
  <strong>${money(total([{ product, quantity }]))}</strong>
  <button class="link" aria-label="Remove ${product.name}">Remove</button>
</li>`;

const full = (all) => html`<ul class="panel rows">${all.map(row)}</ul>
  <div class="panel summary"><h2>Summary</h2>${sum(all)}<a class="button wide" href="/shop/checkout">To the checkout</a></div>`;
const EMPTY = html`<div class="panel thanks"><p>Nothing in it yet.</p><p><a class="button" href="/shop/">Look around</a></p></div>`;

const render = () => {
  show("cart", lines()[0] ? full(lines()) : EMPTY);
  showFrame();
};

function change({ target }, quantity) {
  const id = target.closest("[data-id]")?.dataset.id;
  const line = lines().find(({ product }) => product.id == id);
  if (line) setQuantity(line.product, quantity);
  render();
  part("cart").querySelector(`[data-id="${id}"] input`)?.focus(); // where it was, for the keyboard
}

showAndFollow(render);
part("cart").addEventListener("change", (event) => change(event, Number(event.target.value)));
part("cart").addEventListener("click", (event) => event.target.closest("button") && change(event, 0));
