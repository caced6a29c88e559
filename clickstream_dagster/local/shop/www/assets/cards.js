/** A product in a list, and its price wherever it stands. */
import { html } from "./html.js";
import { money, paid } from "./money.js";
import { picture } from "./pictures.js";
import { tell } from "./tell.js";

export const price = (product) => html`<p class="price"><strong>${money(paid(product))}</strong>
  ${product.discount_price && html`<s><span class="unseen">before: </span>${money(product.price)}</s>`}</p>`;

export const share = ({ price: before, discount_price: now }) => Math.round(100 * (1 - now / before));

export const cards = (products) => products.map((product) => html`<li class="card">
  ${picture(product)}
  ${product.discount_price && html`<span class="tag">−${share(product)} %</span>`}
  <p class="muted">${product.brand}</p>
  <h3><a href="${product.url_path}" data-product="${product.id}">${product.name.replace(product.brand + " ", "")}</a></h3>
  ${price(product)}
</li>`);

/** Which of the shown products people choose. The page goes on to the product; the tracker sees to it that this arrives. */
addEventListener("click", ({ target }) => {
  const id = target.closest?.("a[data-product]")?.dataset.product;
  if (id) tell("click", "product-card", { product_id: id });
});
