import { cards } from "./cards.js";
import { products } from "./catalogue.js";
import { data, part, show } from "./html.js";
import { paid } from "./money.js";

const { category } = data();
const own = products.filter((product) => product.category == category);
const ORDERS = { "": () => 0, up: (a, b) => paid(a) - paid(b), down: (a, b) => paid(b) - paid(a) };
const render = () => show("found", cards([...own].sort(ORDERS[part("sort").value])));

part("name").textContent = category;
part("sort").addEventListener("change", render);
render();
