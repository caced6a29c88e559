/** What a page tells the tracker when it is shown. These draw nothing. */
"use client";

import type { NamedOrder } from "clickstream-tracker";
import { useEffect } from "react";
import type { Product } from "@/lib/product";
import { shown, tracker } from "@/lib/tracker";

export function ProductViewed({ product }: { product: Product }) {
  useEffect(() => tracker().viewProduct(shown(product)), [product.id]);
  return null;
}

export function Searched({ query, results }: { query: string; results: number }) {
  useEffect(() => tracker().search(query, { results }), [query, results]);
  return null;
}

/** A reload tells it again: the order's id makes that harmless. */
export function Purchased({ order }: { order: NamedOrder }) {
  useEffect(() => tracker().purchase(order), [order.id]);
  return null;
}
