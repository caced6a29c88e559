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

/** A reload does no harm. A tab that is restored weeks later may: by then the warehouse may have forgotten the first event. */
const TOLD_FOR = 86_400_000; // milliseconds

type Asked = { params: Promise<{ order: string }>; searchParams: Promise<{ already?: string }> };

/** A guest's order is shown to whoever has its address, which nobody can guess; a customer's to the customer alone. */
export default async function ThankYou({ params, searchParams }: Asked) {
  const { order: id } = await params;
  const isOld = (await searchParams).already != null;
  const [order] = isUuid(id) ? await findOrders({ id }) : [];
  if (!order || (order.userId && order.userId != (await currentUser())?.id)) notFound();
  return (
    <div className="panel narrow">
      {Date.now() - order.createdAt.getTime() < TOLD_FOR && (
        <Purchased order={{ id, ...ordered(order, order.lines, order.currency, order.coupon) }} />
      )}
      <h1>{isOld ? "Ordered already" : "Thank you"}</h1>
      {isOld && (
        <p>
          You had ordered from this cart before: this is that order, and nothing was charged now. What you have put in since is not
          ordered yet. <Link href="/cart">See your cart</Link>
        </p>
      )}
      <p className="soft">Order <code id="order-id">{order.id}</code></p>
      <Summary lines={order.lines} quote={order} currency={order.currency} />
      <Link className="button" href="/">Look around</Link>
    </div>
  );
}
