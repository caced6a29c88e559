import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { Summary } from "@/components/summary";
import { currentUser } from "@/lib/auth/session";
import { money } from "@/lib/money";
import { findOrders } from "@/lib/orders";

export const metadata: Metadata = { title: "Your orders" };

const day = new Intl.DateTimeFormat("en-US", { dateStyle: "long", timeZone: "UTC" });

export default async function Orders() {
  const user = await currentUser();
  if (!user) redirect("/account");
  const orders = await findOrders({ userId: user.id });
  return (
    <>
      <h1>Your orders</h1>
      {!orders.length && <p className="soft">None yet.</p>}
      <ul className="orders">
        {orders.map((order) => (
          <li key={order.id} className="panel">
            <h2>{day.format(order.createdAt)}</h2>
            <p className="soft"><code>{order.id}</code></p>
            <Summary lines={order.lines} quote={order} currency={order.currency} />
            {order.refunded > 0 && <p className="soft">{money(order.refunded, order.currency)} given back.</p>}
          </li>
        ))}
      </ul>
    </>
  );
}
