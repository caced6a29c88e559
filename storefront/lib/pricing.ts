/** What an order costs. The checkout shows it by this function, and the server charges by it. */
import type { Named } from "@/lib/product";

/** A product as it is bought: its price is that of one piece, in cents, as it is paid. */
export interface Line extends Named {
  quantity: number;
  unitPrice: number;
}

export const DELIVERIES = {
  standard: { label: "Standard", days: "3 to 5 days", price: 490 },
  express: { label: "Express", days: "tomorrow", price: 1490 },
} as const;
export type Delivery = keyof typeof DELIVERIES;
export const isDelivery = (text: string): text is Delivery => Object.hasOwn(DELIVERIES, text);

/** Standard delivery is free from here on. */
export const FREE_FROM = 10_000;
const TAX_PERCENT = 8;

/** All in cents; `total` = items - discount + shipping + tax. */
export interface Quote {
  items: number;
  discount: number;
  shipping: number;
  tax: number;
  total: number;
}

/** What an order costs besides its items, and in all, in another unit. */
export const amounts = <From, To>(price: Record<"discount" | "shipping" | "tax" | "total", From>, as: (amount: From) => To) => ({
  discount: as(price.discount),
  shipping: as(price.shipping),
  tax: as(price.tax),
  total: as(price.total),
});

export const sumOf = (lines: Pick<Line, "quantity" | "unitPrice">[]): number =>
  lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0);

export function quote(lines: Line[], delivery: Delivery, percentOff: number): Quote {
  const items = sumOf(lines);
  const discount = Math.round((items * percentOff) / 100);
  const isFree = delivery == "standard" && items - discount >= FREE_FROM;
  const shipping = isFree ? 0 : DELIVERIES[delivery].price;
  const tax = Math.round(((items - discount) * TAX_PERCENT) / 100);
  return { items, discount, shipping, tax, total: items - discount + shipping + tax };
}
