import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { RefundForm } from "@/components/refund-form";
import { currentUser } from "@/lib/auth/session";
import { money } from "@/lib/money";
import { findOrders } from "@/lib/orders";

export const metadata: Metadata = { title: "Back office", robots: { index: false } };

const time = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

/** For others it does not exist. */
export default async function Admin() {
  if (!(await currentUser())?.isAdmin) notFound();
  const orders = await findOrders({});
  return (
    <>
      <h1>Back office</h1>
      <p className="soft">The latest 50 orders, times in UTC.</p>
      <div className="scroll" tabIndex={0} role="region" aria-label="Orders">
        <table>
          <thead>
            <tr>
              <th scope="col">Order</th>
              <th scope="col">Placed</th>
              <th scope="col">Total</th>
              <th scope="col">Given back</th>
            </tr>
          </thead>
          <tbody>
            {orders.map((order) => (
              <tr key={order.id}>
                <td><code>{order.id}</code></td>
                <td>{time.format(order.createdAt)}</td>
                <td>{money(order.total, order.currency)}</td>
                <td><RefundForm order={order} next={crypto.randomUUID()} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
