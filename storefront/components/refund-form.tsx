"use client";

import { useActionState } from "react";
import { giveBack } from "@/app/admin/actions";
import { decimal, money } from "@/lib/money";
import type { Order } from "@/lib/orders";

type Refunded = Pick<Order, "id" | "currency" | "total" | "refunds" | "refunded">;

/** What was given back of an order, and a part or the rest of it to give back. `next` is the id of that refund: however often the
 * form is sent, it is given once. */
export function RefundForm({ order: { id, currency, total, refunds, refunded }, next }: { order: Refunded; next: string }) {
  const [said, submit, isPending] = useActionState(giveBack, null);
  const left = decimal(total - refunded);
  return (
    <>
      {refunds.map((refund) => (
        <form key={refund.id} action={submit}>
          <input type="hidden" name="order" value={id} />
          <input type="hidden" name="refund" value={refund.id} />
          {money(refund.amount, currency)} <button className="link" disabled={isPending}>Send its event again</button>
        </form>
      ))}
      {total > refunded && (
        <form className="field" action={submit}>
          <input type="hidden" name="order" value={id} />
          <input type="hidden" name="refund" value={next} />
          <input name="amount" type="number" min="0.01" max={left} step="0.01" aria-label="Amount"
            key={left} defaultValue={left} required />
          <button className="button plain" disabled={isPending}>Give back</button>
        </form>
      )}
      <p className="said" role="status">{said}</p>
    </>
  );
}
