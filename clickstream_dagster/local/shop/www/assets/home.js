import { cards, share } from "./cards.js";
import { categories, products } from "./catalogue.js";
import { html, show } from "./html.js";
import { picture } from "./pictures.js";

const deals = products.filter((product) => product.discount_price).sort((a, b) => share(b) - share(a));
const desk = ["Monitors", "Keyboards", "Docks", "Webcams"].map((name) => products.findLast((one) => one.category == name && !one.discount_price));

show("hero", [products[2], products[45], products[13]].map(picture));
show("tiles", categories.map(({ name, url_path }, place) => html`<li><a href="${url_path}">
  ${picture({ category: name, brand: products[place * 6 + 1].brand })}${name}</a></li>`));
show("deals", cards(deals.slice(0, 8)));
show("desk", cards(desk));
