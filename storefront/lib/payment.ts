/**
 * Stands in for a payment provider: two card numbers, one that always pays and one that always fails, and no other, so that
 * nobody types a real one. A shop of yours has its provider's form in its place, and never sees a card.
 */
import "server-only";
import { Refused } from "@/lib/refused";

const PAYS = "4242424242424242";
const FAILS = "4000000000000002";

/** Charge the card. A provider takes `key` for the name of the payment: the same key twice is one charge. */
export async function charge(card: string, amount: number, currency: string, key: string): Promise<void> {
  const digits = card.replace(/\D/g, "");
  if (digits == FAILS) {
    console.info(JSON.stringify({ payment: "declined", amount, currency, key }));
    throw new Refused("The card was declined. You have not been charged and your cart is untouched: try another card.");
  }
  if (digits != PAYS) throw new Refused("This shop is invented and takes test cards only: 4242 4242 4242 4242, never a real one.");
}
