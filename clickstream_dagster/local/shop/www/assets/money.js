/** Money. Sums are made of whole cents, since 0.1 + 0.2 is not 0.3. */
export const CURRENCY = "USD";
const shape = new Intl.NumberFormat("en-US", { style: "currency", currency: CURRENCY });

export const money = (amount) => shape.format(amount);
/** What is paid for one piece. */
export const paid = (product) => product.discount_price ?? product.price;
export const total = (lines) =>
  lines.reduce((cents, { product, quantity }) => cents + Math.round(paid(product) * 100) * quantity, 0) / 100;
