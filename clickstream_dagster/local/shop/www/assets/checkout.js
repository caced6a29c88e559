import { asOrder, lines, placeOrder } from "./basket.js";
import { summary } from "./cart-lines.js";
import { part, show } from "./html.js";
import { showAndFollow } from "./kept.js";
import { tell } from "./tell.js";

if (lines()[0]) tell("checkout", asOrder(lines()));

showAndFollow(() => {
  const all = lines();
  part("empty").hidden = all.length > 0;
  part("order").hidden = !all.length;
  show("summary", summary(all));
});

part("order").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = placeOrder();
  if (id) location.assign(`/shop/checkout/thank-you?order=${id}`);
});
