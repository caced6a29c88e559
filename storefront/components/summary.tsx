import { money } from "@/lib/money";
import type { Line, Quote } from "@/lib/pricing";

/** The lines of an order, and how they make its total. */
export function Summary({ lines, quote, currency }: { lines: Line[]; quote: Quote; currency: string }) {
  const shown = (amount: number) => money(amount, currency);
  return (
    <>
      <ul className="lines">
        {lines.map(({ id, quantity, name, unitPrice }) => (
          <li key={id}>
            <span>{quantity} × {name}</span>
            <span>{shown(quantity * unitPrice)}</span>
          </li>
        ))}
      </ul>
      <dl className="sum">
        {quote.discount > 0 && (
          <>
            <dt>Discount</dt>
            <dd>−{shown(quote.discount)}</dd>
          </>
        )}
        <dt>Delivery</dt>
        <dd>{quote.shipping ? shown(quote.shipping) : "free"}</dd>
        <dt>Tax</dt>
        <dd>{shown(quote.tax)}</dd>
        <dt className="total">Total</dt>
        <dd className="total">{shown(quote.total)}</dd>
      </dl>
    </>
  );
}
