/** Orders: placed in one transaction with their lines, the stock and the payment. */
import "server-only";
import { type Prisma } from "@/generated/prisma/client";
import { db } from "@/lib/db";
import { cents, decimal } from "@/lib/money";
import { charge } from "@/lib/payment";
import { type Line, type Quote, amounts, sumOf } from "@/lib/pricing";
import { Refused } from "@/lib/refused";

/** As it is placed; amounts in cents. */
export interface NewOrder extends Quote {
  /** The cart's id. An order of that id is placed once. */
  id: string;
  userId: string | null;
  clientId: string | null;
  currency: string;
  coupon: string | null;
  lines: Line[];
}

/** Place it, or find it placed. Returns the order that stands under its id where that has other contents. Then, as after `Refused`,
 * nothing has changed: no order, no stock gone, no charge. */
export async function placeOrder(order: NewOrder, card: string): Promise<Order | undefined> {
  const isNew = await db().$transaction(
    async (tx) => {
      // The same order at the same moment waits here for the first one to be placed, or to fail.
      const { count } = await tx.order.createMany({ data: [rowOf(order)], skipDuplicates: true });
      if (!count) return false;
      await takeStock(tx, order.lines);
      await tx.orderItem.createMany({
        data: order.lines.map(({ id, quantity, unitPrice }) => ({
          orderId: order.id,
          productId: id,
          quantity,
          unitPrice: decimal(unitPrice),
        })),
      });
      // Last, while the pieces are held: nobody is charged for what is gone, and a failed payment takes back all of it. If
      // the commit fails after it, the next try is the same payment, by its key.
      await charge(card, order.total, order.currency, order.id);
      return true;
    },
    { timeout: 15_000, maxWait: 10_000 },
  );
  const [standing] = isNew ? [] : await findOrders({ id: order.id });
  return standing && contents(standing) != contents(order) ? standing : undefined;
}

/** The goods at their prices, and what is paid for them. */
const contents = ({ total, lines }: NewOrder): string =>
  JSON.stringify([total, lines.map(({ id, quantity, unitPrice }) => [id, quantity, unitPrice].join()).sort()]);

/** In the order of the products, whatever the cart's: two buyers of the same two cannot wait for each other. */
async function takeStock(tx: Prisma.TransactionClient, lines: Line[]): Promise<void> {
  const sorted = [...lines].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const { id, name, quantity } of sorted) {
    const taken = await tx.$executeRaw`
      update inventory set quantity = quantity - ${quantity}, updated_at = now()
      where product_id = ${id} and quantity >= ${quantity}`;
    if (!taken) throw new Refused(gone(name, quantity));
  }
}

const gone = (name: string, quantity: number): string =>
  quantity > 1
    ? `Someone was faster: ${quantity} pieces of ${name} are no longer there. Take fewer in your cart.`
    : `Someone was faster: the last ${name} has just been sold. Take it out of your cart to order the rest.`;

const rowOf = ({ lines: _, items: __, ...order }: NewOrder) => ({ ...order, ...amounts(order, decimal), status: "paid" });

const everything = { items: { include: { product: true } }, refunds: true } as const;
type Row = Prisma.OrderGetPayload<{ include: typeof everything }>;

/** As it was placed, and what was given back of it. */
export interface Order extends NewOrder {
  createdAt: Date;
  refunds: { id: string; amount: number }[];
  refunded: number;
}

function fromRow({ items, refunds, ...row }: Row): Order {
  const lines = items.map(({ product: { id, name, category, brand }, quantity, unitPrice }) => ({
    ...{ id, name, category, brand: brand ?? "" },
    quantity,
    unitPrice: cents(unitPrice),
  }));
  return {
    ...row,
    ...amounts(row, cents),
    lines,
    items: sumOf(lines),
    refunds: refunds.map(({ id, amount }) => ({ id, amount: cents(amount) })),
    refunded: refunds.reduce((sum, { amount }) => sum + cents(amount), 0),
  };
}

/** The newest first. */
export async function findOrders(where: Prisma.OrderWhereInput, take = 50): Promise<Order[]> {
  const rows = await db().order.findMany({ where, include: everything, orderBy: { createdAt: "desc" }, take });
  return rows.map(fromRow);
}
