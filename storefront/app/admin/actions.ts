"use server";

import { revalidatePath } from "next/cache";
import { currentUser } from "@/lib/auth/session";
import { cents } from "@/lib/money";
import { Refused } from "@/lib/refused";
import { refund, tell } from "@/lib/refunds";
import { isUuid } from "@/lib/uuid";

/** An action is an address of its own: who may see the page is asked again here. */
async function asAdmin(work: () => Promise<string>): Promise<string> {
  if (!(await currentUser())?.isAdmin) return "Sign in as an administrator of the shop.";
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  } finally {
    revalidatePath("/admin");
  }
}

/** Give back `amount`, or all that is left of the order; or tell the collector again of the `refund` that it has missed. */
export async function giveBack(_: string | null, form: FormData): Promise<string> {
  const [order, amount, untold] = ["order", "amount", "refund"].map((name) => String(form.get(name) ?? "").trim());
  if (untold && isUuid(untold)) return asAdmin(() => tell(untold));
  if (!order || !isUuid(order)) return "There is no such order.";
  return asAdmin(() => refund(order, amount ? cents(amount) : null));
}
