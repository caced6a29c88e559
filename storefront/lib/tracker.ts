/** The tracker, and the shop's things in the words of its events. */
import { type Consent, type OrderItem, type ShownProduct, type Tracker, start } from "clickstream-tracker";
import { decimal } from "@/lib/money";
import type { Line } from "@/lib/pricing";
import { type Product, paid, productPath } from "@/lib/product";

let begun: Tracker | undefined;

/** Begun by whoever asks first. The page says where the collector is and what the visitor has chosen; until then nothing is sent. */
export function tracker(): Tracker {
  if (!begun) {
    const { collector, consent } = document.documentElement.dataset;
    begun = start({ endpoint: collector, consent: "none" });
    if (consent) begun.consent(consent as Consent);
  }
  return begun;
}

export const shown = (product: Product): ShownProduct => ({
  id: product.id,
  name: product.name,
  category: product.category,
  brand: product.brand,
  price: decimal(product.price),
  discount_price: product.discountPrice == null ? undefined : decimal(product.discountPrice),
  currency: product.currency,
  url_path: productPath(product.id),
});

export const item = ({ productId, name, category, brand, quantity, unitPrice }: Line): OrderItem => ({
  product_id: productId,
  name,
  category,
  brand,
  price: decimal(unitPrice),
  quantity,
});

export const listed = (product: Product): OrderItem => ({
  product_id: product.id,
  name: product.name,
  category: product.category,
  brand: product.brand,
  price: decimal(paid(product)),
});
