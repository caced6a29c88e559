"use server";

import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import { currentUser } from "@/lib/auth/session";
import { type Cart, forgetCart, keepRest, linesOf, readCart } from "@/lib/cart";
import { type Coupon, findCoupon } from "@/lib/coupons";
import { placeOrder } from "@/lib/orders";
import { isDelivery, quote } from "@/lib/pricing";
import { Refused } from "@/lib/refused";
import { clientId } from "@/lib/visitor";

export const applyCoupon = async (code: string): Promise<Coupon | null> => findCoupon(code) ?? null;

/** Order what is in the cart. Returns a sentence when that cannot be done; else it leads to the order. */
export async function order(_: string | null, form: FormData): Promise<string | null> {
  const [cart, user] = await Promise.all([readCart(), currentUser()]);
  try {
    redirect(await place(cart, user?.id ?? null, form));
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // the redirect is one, too
    revalidatePath("/checkout");
    return error.message;
  }
}

/** At the prices of this moment. What the form says of the total is only compared. Returns the address of the order that stands. */
async function place(cart: Cart, userId: string | null, form: FormData): Promise<string> {
  const lines = await linesOf(cart);
  if (!lines[0]) throw new Refused("Your cart is empty. If you have just ordered, the order was placed.");
  const { currency } = lines[0];
  if (lines.some((line) => line.currency != currency))
    throw new Refused("Your cart has prices in two currencies. Take those of one out, and order them apart.");
  const coupon = findCoupon(String(form.get("coupon")));
  const delivery = String(form.get("delivery"));
  if (!isDelivery(delivery)) throw new Refused("Choose how it shall be delivered.");
  const price = quote(lines, delivery, coupon?.percent ?? 0);
  if (Number(form.get("total")) != price.total)
    throw new Refused("A price has changed since this page was loaded. Look at the total, then order again.");
  const order = { id: cart.id, userId, clientId: await clientId(), currency, lines, coupon: coupon?.code ?? null, ...price };
  const standing = await placeOrder(order, String(form.get("card")));
  // An answer was lost, or another tab brought the old cart back: the buyer sees the order that stands before they pay again.
  await (standing ? keepRest(lines, standing.lines) : forgetCart());
  return `/thank-you/${cart.id}${standing ? "?already" : ""}`;
}
