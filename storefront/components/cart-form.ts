"use client";

import { useActionState } from "react";
import type { Changed } from "@/app/cart/actions";
import type { Product } from "@/lib/product";
import { shown, tracker } from "@/lib/tracker";

/** A form that changes the cart. What the server has changed is told to the tracker, also when the visitor has gone on meanwhile. */
export function useCartForm(product: Product, action: (form: FormData) => Promise<Changed>) {
  return useActionState(async (_: Changed | null, form: FormData) => {
    const changed = await action(form);
    if (changed.by > 0) tracker().addToCart(shown(product), changed.by);
    if (changed.by < 0) tracker().removeFromCart(shown(product), -changed.by);
    return changed;
  }, null);
}
