"use client";

import { Link } from "@/components/link";
import { useActionState, useEffect } from "react";
import { setQuantity } from "@/app/cart/actions";
import { money } from "@/lib/money";
import { type Product, paid, productPath } from "@/lib/product";
import { shown, tracker } from "@/lib/tracker";

/** One product of the cart. Choosing a number changes it; without scripts there is a button for that. */
export function CartRow({ product, quantity, most }: { product: Product; quantity: number; most: number }) {
  const [changed, submit, isPending] = useActionState(setQuantity, null);
  const { id, name, currency } = product;

  useEffect(() => {
    if (changed && changed.by > 0) tracker().addToCart(shown(product), changed.by);
    if (changed && changed.by < 0) tracker().removeFromCart(shown(product), -changed.by);
  }, [changed]);

  return (
    <form action={submit} aria-busy={isPending}>
      <input type="hidden" name="product" value={id} />
      <div>
        <h2>
          <Link href={productPath(id)}>{name}</Link>
        </h2>
        <p className="soft">{money(paid(product), currency)} each</p>
        <p className="said" role="status">{quantity > most ? `Only ${most} left.` : changed?.by == 0 && changed.said}</p>
      </div>
      <select
        name="quantity"
        aria-label={`Quantity of ${name}`}
        key={quantity}
        defaultValue={quantity}
        onChange={({ target }) => target.form?.requestSubmit()}
      >
        {Array.from({ length: Math.max(most, quantity) + 1 }, (_, number) => (
          <option key={number} value={number}>{number || "0: remove"}</option>
        ))}
      </select>
      <strong>{money(quantity * paid(product), currency)}</strong>
      <noscript><button className="link">Change</button></noscript>
    </form>
  );
}
