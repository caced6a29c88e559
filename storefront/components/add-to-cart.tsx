"use client";

import { useCartForm } from "@/components/cart-form";
import { Link } from "@/components/link";
import { addToCart } from "@/app/cart/actions";
import type { Product } from "@/lib/product";

export function AddToCart({ product, most }: { product: Product; most: number }) {
  const [changed, submit, isPending] = useCartForm(product, addToCart);

  return (
    <form className="add" action={submit}>
      <input type="hidden" name="product" value={product.id} />
      <label>
        <span className="unseen">Quantity</span>
        <input type="number" name="quantity" defaultValue={1} min={1} max={most} required inputMode="numeric" />
      </label>
      <button className="button" disabled={isPending}>Add to cart</button>
      <p className="said" role="status">
        {changed && (
          <>
            {changed.said} <Link href="/cart">See your cart</Link>
          </>
        )}
      </p>
    </form>
  );
}
