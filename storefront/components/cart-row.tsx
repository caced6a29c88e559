"use client";

import { useCartForm } from "@/components/cart-form";
import { Link } from "@/components/link";
import { setQuantity } from "@/app/cart/actions";
import { money } from "@/lib/money";
import { type Product, paid, productPath } from "@/lib/product";

/** One product of the cart. Choosing a number changes it. */
export function CartRow({ product, quantity, most }: { product: Product; quantity: number; most: number }) {
  const [changed, submit, isPending] = useCartForm(product, setQuantity);
  const { id, name, currency } = product;

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
    </form>
  );
}
