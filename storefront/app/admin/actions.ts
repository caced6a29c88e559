"use server";

import { revalidatePath } from "next/cache";
import { renewed } from "@/lib/auth/session";
import { cents } from "@/lib/money";
import { Refused } from "@/lib/refused";
import { refund } from "@/lib/refunds";
import { isUuid } from "@/lib/uuid";

/** An action is an address of its own: who may is asked again here, of the provider, since a session is older than its groups. */
async function asAdmin(work: () => Promise<string>): Promise<string> {
  if (!(await renewed())?.isAdmin) return "Sign in as an administrator of the shop.";
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  } finally {
    revalidatePath("/admin");
  }
}

/** Give back `amount`, or all that is left of the order, as the `refund` of this id; of one that stands only the event is sent. */
export async function giveBack(_: string | null, form: FormData): Promise<string> {
  const [order, id, amount] = ["order", "refund", "amount"].map((name) => String(form.get(name) ?? "").trim());
  if (!order || !id || !isUuid(order) || !isUuid(id)) return "There is no such order.";
  return asAdmin(() => refund(order, id, amount ? cents(amount) : null));
}
