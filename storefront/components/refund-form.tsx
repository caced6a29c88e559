"use client";

import { useActionState } from "react";
import { giveBack } from "@/app/admin/actions";
import { decimal, money } from "@/lib/money";
import type { Order } from "@/lib/orders";

type Refunded = Pick<Order, "id" | "currency" | "total" | "refunds" | "refunded">;

/** What was given back of an order, and a part or the rest of it to give back. */
export function RefundForm({ order: { id, currency, total, refunds, refunded } }: { order: Refunded }) {
  const [said, submit, isPending] = useActionState(giveBack, null);
  const left = decimal(total - refunded);
  return (
    <form action={submit}>
      <input type="hidden" name="order" value={id} />
      {refunds.map((refund) => (
        <p key={refund.id}>
          {money(refund.amount, currency)}{" "}
          <button className="link" name="refund" value={refund.id} formNoValidate disabled={isPending}>Send its event again</button>
        </p>
      ))}
      {total > refunded && (
        <p className="field">
          <input
            name="amount"
            type="number"
            min="0.01"
            max={left}
            step="0.01"
            key={left}
            defaultValue={left}
            aria-label="Amount"
            required
          />
          <button className="button plain" disabled={isPending}>Give back</button>
        </p>
      )}
      <p className="said" role="status">{said}</p>
    </form>
  );
}
