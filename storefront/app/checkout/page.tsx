import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { CheckoutForm } from "@/components/checkout-form";
import { linesOf, readCart } from "@/lib/cart";

export const metadata: Metadata = { title: "Checkout" };

export default async function Checkout() {
  const lines = await linesOf(await readCart());
  if (!lines[0]) redirect("/cart");
  const plain = lines.map(({ product: _, ...line }) => line);
  return (
    <>
      <h1>Checkout</h1>
      <CheckoutForm lines={plain} currency={lines[0].product.currency} />
    </>
  );
}
