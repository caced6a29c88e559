import type { Metadata } from "next";
import { Link } from "@/components/link";
import { notFound } from "next/navigation";
import { Purchased } from "@/components/events";
import { Summary } from "@/components/summary";
import { currentUser } from "@/lib/auth/session";
import { findOrders } from "@/lib/orders";
import { ordered } from "@/lib/tracker";
import { isUuid } from "@/lib/uuid";

export const metadata: Metadata = { title: "Thank you", robots: { index: false } };

/** A guest's order is shown to whoever has its address, which nobody can guess; a customer's to the customer alone. */
export default async function ThankYou({ params }: { params: Promise<{ order: string }> }) {
  const { order: id } = await params;
  const [order] = isUuid(id) ? await findOrders({ id }) : [];
  if (!order || (order.userId && order.userId != (await currentUser())?.id)) notFound();
  return (
    <div className="panel narrow">
      <Purchased order={{ id, ...ordered(order, order.lines, order.currency, order.coupon) }} />
      <h1>Thank you</h1>
      <p className="soft">Order <code id="order-id">{order.id}</code></p>
      <Summary lines={order.lines} quote={order} currency={order.currency} />
      <Link className="button" href="/">Look around</Link>
    </div>
  );
}
