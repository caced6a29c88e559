import type { Metadata } from "next";
import { Link } from "@/components/link";
import { CartRow } from "@/components/cart-row";
import { Picture } from "@/components/products";
import { MOST_PIECES, linesOf, readCart } from "@/lib/cart";
import { money } from "@/lib/money";
import { sumOf } from "@/lib/pricing";

export const metadata: Metadata = { title: "Your cart" };

export default async function CartPage() {
  const lines = await linesOf(await readCart());
  const [first] = lines;
  if (!first)
    return (
      <div className="panel empty">
        <h1>Your cart is empty</h1>
        <Link className="button" href="/">Look around</Link>
      </div>
    );
  return (
    <>
      <h1>Your cart</h1>
      <div className="split">
        <ul className="panel rows">
          {lines.map((line) => (
            <li key={line.id}>
              <Picture product={line} isFirst />
              <CartRow product={line} quantity={line.quantity} most={Math.min(line.stock, MOST_PIECES)} />
            </li>
          ))}
        </ul>
        <aside className="panel" aria-label="Sum">
          <dl className="sum">
            <dt className="total">Goods</dt>
            <dd className="total">{money(sumOf(lines), first.currency)}</dd>
          </dl>
          <p className="soft">Delivery and tax come at the checkout.</p>
          <Link className="button wide" href="/checkout">To the checkout</Link>
        </aside>
      </div>
    </>
  );
}
