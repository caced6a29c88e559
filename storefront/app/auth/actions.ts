"use server";

import { redirect } from "next/navigation";
import { signOutAddress } from "@/lib/auth/provider";
import { close } from "@/lib/auth/session";

/** Out of the shop, then of the provider: else its next "Sign in" would ask for nothing. */
export async function signOut(): Promise<void> {
  const idToken = await close();
  const address = idToken && (await signOutAddress(idToken).catch(() => null));
  redirect(address ? address.href : "/");
}
