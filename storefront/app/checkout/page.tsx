import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { CheckoutForm } from "@/components/checkout-form";
import { linesOf, readCart } from "@/lib/cart";

export const metadata: Metadata = { title: "Checkout" };

export default async function Checkout() {
  const lines = await linesOf(await readCart());
  if (!lines[0]) redirect("/cart");
  return (
    <>
      <h1>Checkout</h1>
      <CheckoutForm lines={lines} currency={lines[0].currency} />
    </>
  );
}
