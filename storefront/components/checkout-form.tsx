"use client";

import { useActionState, useEffect, useState } from "react";
import { applyCoupon, order } from "@/app/checkout/actions";
import { Summary } from "@/components/summary";
import type { Coupon } from "@/lib/coupons";
import { money } from "@/lib/money";
import { DELIVERIES, type Delivery, FREE_FROM, type Line, isDelivery, quote } from "@/lib/pricing";
import { ordered, tracker } from "@/lib/tracker";

export function CheckoutForm({ lines, currency }: { lines: Line[]; currency: string }) {
  const [delivery, setDelivery] = useState<Delivery>("standard");
  const [coupon, setCoupon] = useState<Coupon | null>(null);
  const [refusal, submit, isPending] = useActionState(order, null);
  const price = quote(lines, delivery, coupon?.percent ?? 0);
  const told = ordered(price, lines, currency, coupon?.code);
  const tell = (step: string, props: Record<string, string>) => tracker().track(step, { order: told, props });

  useEffect(() => tracker().checkout(told), []);

  return (
    <form className="split" action={submit} onSubmit={() => tell("add_payment_info", { payment_type: "card" })}>
      <div>
        <fieldset className="panel">
          <legend>1. Delivery</legend>
          {Object.entries(DELIVERIES).map(([key, { label, days, price }]) => (
            <label key={key} className="choice">
              <input
                type="radio"
                name="delivery"
                value={key}
                checked={key == delivery}
                onChange={() => {
                  if (isDelivery(key)) setDelivery(key);
                  tell("add_shipping_info", { shipping_tier: key });
                }}
              />
              <span>{label}, {days}</span>
              <span className="soft">
                {money(price, currency)}
                {key == "standard" && `, free from ${money(FREE_FROM, currency)}`}
              </span>
            </label>
          ))}
          <p className="soft">No address is asked: this shop is invented, and keeps none.</p>
        </fieldset>
        <CouponField coupon={coupon} onFound={setCoupon} />
        <fieldset className="panel">
          <legend>3. Payment</legend>
          <label>
            Card number
            <input name="card" defaultValue="4242 4242 4242 4242" inputMode="numeric" autoComplete="off"
              aria-describedby="cards" required />
          </label>
          <p className="soft" id="cards">A test card: 4242 4242 4242 4242 pays, 4000 0000 0000 0002 is declined, any other is refused.</p>
        </fieldset>
      </div>
      <aside className="panel" aria-label="Your order">
        <h2>Your order</h2>
        <Summary lines={lines} quote={price} currency={currency} />
        <input type="hidden" name="total" value={price.total} />
        <p className="refusal" role="alert">{refusal}</p>
        <button className="button wide" disabled={isPending}>
          {isPending ? "One moment …" : `Pay ${money(price.total, currency)}`}
        </button>
      </aside>
    </form>
  );
}

function CouponField({ coupon, onFound }: { coupon: Coupon | null; onFound: (coupon: Coupon | null) => void }) {
  const [typed, setTyped] = useState("");
  const [said, setSaid] = useState("");
  const apply = async () => {
    const found = await applyCoupon(typed);
    onFound(found);
    setSaid(found ? `${found.percent} % off.` : "There is no such coupon.");
  };
  return (
    <fieldset className="panel">
      <legend>2. Coupon, if you have one</legend>
      <div className="field">
        <input value={typed} onChange={({ target }) => setTyped(target.value)} aria-label="Coupon" autoComplete="off"
          maxLength={40} />
        <button type="button" className="button plain" onClick={apply} disabled={!typed}>Apply</button>
      </div>
      <input type="hidden" name="coupon" value={coupon?.code ?? ""} />
      <p className="said" role="status">{said}</p>
    </fieldset>
  );
}
