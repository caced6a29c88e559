"use server";

import { MOST_LINES, MOST_PIECES, readCart, writeCart } from "@/lib/cart";
import { productOf } from "@/lib/catalogue";

/** What a form of the cart is told: how many pieces more (or, below zero, fewer) are in it, and a sentence. */
export interface Changed {
  by: number;
  said: string;
}

export async function addToCart(form: FormData): Promise<Changed> {
  const id = String(form.get("product"));
  const { quantities } = await readCart();
  return change(id, (quantities[id] ?? 0) + Number(form.get("quantity")));
}

export async function setQuantity(form: FormData): Promise<Changed> {
  return change(String(form.get("product")), Number(form.get("quantity")));
}

/** As many as are wanted, are there, and one cart may hold. */
async function change(id: string, wanted: number): Promise<Changed> {
  const [cart, product] = await Promise.all([readCart(), productOf(id)]);
  if (!Number.isInteger(wanted)) return { by: 0, said: "Say how many, as a whole number." };
  const before = cart.quantities[id] ?? 0;
  if (!before && Object.keys(cart.quantities).length >= MOST_LINES)
    return { by: 0, said: `A cart holds ${MOST_LINES} different products. Order these first, or take one out.` };
  const most = Math.min(product?.stock ?? 0, MOST_PIECES);
  const quantity = Math.max(0, Math.min(wanted, most));
  if (quantity) cart.quantities[id] = quantity;
  else delete cart.quantities[id];
  await writeCart(cart);
  return { by: quantity - before, said: sentence(wanted, quantity, product?.stock ?? 0) };
}

function sentence(wanted: number, quantity: number, stock: number): string {
  if (wanted <= quantity) return quantity ? "In your cart." : "Removed.";
  if (!stock) return "Sold out.";
  return stock < MOST_PIECES ? `Only ${stock} left; all of them are in your cart.` : `At most ${MOST_PIECES} in one order.`;
}
