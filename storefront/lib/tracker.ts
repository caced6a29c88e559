/** The tracker, and the shop's things in the words of its events. */
import { type Consent, type OrderItem, type ShownProduct, type Tracker, start } from "clickstream-tracker";
import { decimal } from "@/lib/money";
import { type Line, type Quote, amounts } from "@/lib/pricing";
import { type Named, type Product, paid, productPath } from "@/lib/product";

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

type Priced = Named & { unitPrice: number; quantity?: number };

/** As a line of an order. */
export const item = ({ id, name, category, brand, quantity, unitPrice }: Priced): OrderItem => ({
  ...{ product_id: id, name, category, brand },
  price: decimal(unitPrice),
  quantity,
});

export const listed = (product: Product): OrderItem => item({ ...product, unitPrice: paid(product) });

/** An order, or what is about to be one. */
export function ordered(price: Quote, lines: Line[], currency: string, coupon: string | null | undefined) {
  const { total, ...parts } = amounts(price, decimal);
  return { value: total, ...parts, currency, coupon: coupon ?? undefined, items: lines.map(item) };
}
