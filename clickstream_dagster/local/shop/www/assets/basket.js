/** The cart: lines of a product and how many of it. Whatever changes it tells the tracker. */
import { keep, kept } from "./kept.js";
import { CURRENCY, paid, total } from "./money.js";
import { tell } from "./tell.js";

const MOST = 99;

export const lines = () => kept("cart", []);
export const pieces = () => lines().reduce((sum, { quantity }) => sum + quantity, 0);

/** Set how many of a product are in the cart: more of it is an add_to_cart, less a remove_from_cart. */
export function setQuantity(product, wanted) {
  const all = lines();
  const line = all.find((one) => one.product.id == product.id);
  const before = line?.quantity ?? 0;
  const quantity = Math.max(0, Math.min(MOST, Math.trunc(wanted) || 0));
  if (line) line.quantity = quantity;
  else all.push({ product, quantity });
  keep("cart", all.filter((one) => one.quantity));
  if (quantity > before) tell("addToCart", product, quantity - before);
  if (quantity < before) tell("removeFromCart", product, before - quantity);
}

export const add = (product, quantity) =>
  setQuantity(product, quantity + (lines().find((line) => line.product.id == product.id)?.quantity ?? 0));

/** The cart as an order's fields: what checkout, purchase and refund say. */
export const asOrder = (all) => ({
  value: total(all),
  currency: CURRENCY,
  items: all.map(({ product: { id, name, category, brand, ...product }, quantity }) => ({
    ...{ product_id: id, name, category, brand, quantity },
    price: paid(product),
  })),
});

/** Make the order, once: whoever presses the button twice, in this tab or another, finds the cart empty. */
export function placeOrder() {
  const all = lines();
  if (!all[0]) return undefined;
  const random = crypto.getRandomValues(new Uint8Array(6));
  const id = "BF-" + Array.from(random, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join("");
  keep("orders", [{ id, at: new Date().toISOString(), lines: all }, ...orders()].slice(0, 20));
  keep("cart", []);
  return id;
}

export const orders = () => kept("orders", []);
export const orderOf = (id) => orders().find((order) => order.id == id);

/** All of an order comes back. */
export function giveBack(id) {
  const order = orderOf(id);
  if (!order || order.isReturned) return;
  keep("orders", orders().map((one) => (one.id == id ? { ...one, isReturned: true } : one)));
  tell("refund", { id, ...asOrder(order.lines) });
}
