import type { Metadata } from "next";
import { Link } from "@/components/link";
import { notFound } from "next/navigation";
import { Purchased } from "@/components/events";
import { Summary } from "@/components/summary";
import { currentUser } from "@/lib/auth/session";
import { decimal } from "@/lib/money";
import { type Order, findOrders } from "@/lib/orders";
import { item } from "@/lib/tracker";
import { isUuid } from "@/lib/uuid";

export const metadata: Metadata = { title: "Thank you", robots: { index: false } };

const eventOf = (order: Order) => ({
  id: order.id,
  value: decimal(order.total),
  currency: order.currency,
  tax: decimal(order.tax),
  shipping: decimal(order.shipping),
  discount: decimal(order.discount),
  coupon: order.coupon ?? undefined,
  items: order.lines.map(item),
});

/** A guest's order is shown to whoever has its address, which nobody can guess; a customer's to the customer alone. */
export default async function ThankYou({ params }: { params: Promise<{ order: string }> }) {
  const { order: id } = await params;
  const [order] = isUuid(id) ? await findOrders({ id }) : [];
  if (!order || (order.userId && order.userId != (await currentUser())?.id)) notFound();
  return (
    <div className="panel narrow">
      <Purchased order={eventOf(order)} />
      <h1>Thank you</h1>
      <p className="soft">Order <code id="order-id">{order.id}</code></p>
      <Summary lines={order.lines} quote={order} currency={order.currency} />
      <Link className="button" href="/">Look around</Link>
    </div>
  );
}
