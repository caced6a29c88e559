/** What is given back: a row for the shop's books, and an event for the visitor whose order it was. */
import "server-only";
import { db } from "@/lib/db";
import { cents, decimal } from "@/lib/money";
import { Refused } from "@/lib/refused";

const PATIENCE = 5_000;

/** Give back `amount` cents of an order, or all that is left of it. Raises `Refused`. */
export async function refund(orderId: string, asked: number | null): Promise<string> {
  const { refund, order } = await db().$transaction(async (tx) => {
    await tx.$queryRaw`select 1 from orders where order_id = ${orderId}::uuid for update`; // one refund of it at a time
    const order = await tx.order.findUnique({ where: { id: orderId }, include: { refunds: true } });
    if (!order) throw new Refused("There is no such order.");
    const left = cents(order.total) - order.refunds.reduce((sum, { amount }) => sum + cents(amount), 0);
    const amount = asked ?? left;
    if (!(amount > 0 && amount <= left)) throw new Refused(`An amount from 0.01 to ${decimal(left)} can be given back.`);
    if (amount == left) await tx.order.update({ where: { id: orderId }, data: { status: "refunded", updatedAt: new Date() } });
    return { order, refund: await tx.refund.create({ data: { orderId, amount: decimal(amount) } }) };
  });
  const given = `${refund.amount.toFixed(2)} ${order.currency} given back`;
  if (!order.clientId) return `${given}. No event: the buyer had not agreed to one.`;
  return `${given}. ${await tell(refund.id)}`;
}

/** Tell the collector. The event's id is the refund's, so that telling it again does no harm. */
export async function tell(refundId: string): Promise<string> {
  const { order, ...refund } = await db().refund.findUniqueOrThrow({ where: { id: refundId }, include: { order: true } });
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
    console.error(JSON.stringify({ refund: refundId, error: String(error) }));
  }
  return "The collector did not take the event: send it again when it is back.";
}
