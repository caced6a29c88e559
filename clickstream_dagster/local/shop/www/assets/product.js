import { ABOUT } from "./about.js";
import { add } from "./basket.js";
import { cards, price } from "./cards.js";
import { data, html, part, say, show } from "./html.js";
import { showFrame } from "./frame.js";
import { picture } from "./pictures.js";
import { tell } from "./tell.js";

const product = data();
const [text, facts] = ABOUT[product.category];

// At once, without waiting for anything: it takes the place of the page's view.
tell("viewProduct", product);
show("product", html`
  <div class="stage">${picture(product)}</div>
  <div>
    <p class="muted"><a href="/shop/category/${product.category.toLowerCase().replace(" ", "-")}">${product.category}</a> · ${product.brand}</p>
    <h1>${product.name}</h1>
    ${price(product)}
    <p>${text}</p>
    <ul class="facts">${facts.map((fact) => html`<li>${fact}</li>`)}</ul>
    <form id="add" class="add">
      <label>Quantity <input type="number" name="quantity" value="1" min="1" max="99" required inputmode="numeric"></label>
      <button>Add to cart</button>
    </form>
    <p class="muted">In stock · delivered tomorrow · 30 days to change your mind</p>
  </div>`);

part("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const quantity = Number(event.target.quantity.value);
  add(product, quantity);
  showFrame();
  say(html`${quantity} × ${product.name} is in your cart. <a href="/shop/cart">See it</a>`);
});

const { products } = await import("./catalogue.js");
show("others", cards(products.filter(({ category, id }) => category == product.category && id != product.id).slice(0, 4)));
