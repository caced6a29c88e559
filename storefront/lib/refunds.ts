/** What is given back: a row for the shop's books, and an event for the visitor whose order it was. */
import "server-only";
import type { Order, Refund } from "@/generated/prisma/client";
import { db } from "@/lib/db";
import { cents, decimal } from "@/lib/money";
import { Refused } from "@/lib/refused";

const PATIENCE = 5_000;

/** Give back `asked` cents of an order, or all that is left of it. The same `id` twice is one refund. Raises `Refused`. */
export async function refund(orderId: string, id: string, asked: number | null): Promise<string> {
  const { refund, order, given } = await db().$transaction(async (tx) => {
    await tx.$queryRaw`select 1 from orders where order_id = ${orderId}::uuid for update`; // one refund of it at a time
    const order = await tx.order.findUnique({ where: { id: orderId }, include: { refunds: true } });
    if (!order) throw new Refused("There is no such order.");
    const standing = order.refunds.find((refund) => refund.id == id);
    if (standing) return { order, refund: standing, given: "was given back before" };
    const left = cents(order.total) - order.refunds.reduce((sum, { amount }) => sum + cents(amount), 0);
    const amount = asked ?? left;
    if (!(amount > 0 && amount <= left)) throw new Refused(`An amount from 0.01 to ${decimal(left)} can be given back.`);
    if (amount == left) await tx.order.update({ where: { id: orderId }, data: { status: "refunded", updatedAt: new Date() } });
    return { order, refund: await tx.refund.create({ data: { id, orderId, amount: decimal(amount) } }), given: "given back" };
  });
  const event = order.clientId ? await tell(refund, order) : "No event: the buyer had not agreed to one.";
  return `${refund.amount.toFixed(2)} ${order.currency} ${given}. ${event}`;
}

/** Tell the collector. The event's id is the refund's, so that telling it again does no harm. */
async function tell(refund: Refund, order: Order): Promise<string> {
  const event = {
    event_id: refund.id,
    event_name: "refund",
    event_timestamp: refund.createdAt.toISOString(),
    client_id: order.clientId,
    order: { id: order.id, value: refund.amount.toFixed(2), currency: order.currency },
  };
  try {
    const answer = await fetch(process.env.CLICKSTREAM_URL!, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "clickstream-storefront" },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (((await answer.json()) as { accepted?: number }).accepted == 1) return "The event was sent.";
  } catch (error) {
    console.error(JSON.stringify({ refund: refund.id, error: String(error) }));
  }
  return "The collector did not take the event: send it again when it is back.";
}
