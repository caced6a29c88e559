import { NextResponse } from "next/server";
import type { NextRequest } from "next/server";
import { type SignIn, finish } from "@/lib/auth/provider";
import { discard, unseal } from "@/lib/auth/sealed";
import { open } from "@/lib/auth/session";
import { origin } from "@/lib/auth/settings";

/** The provider sends the browser here. Its answer is taken once, from the browser that has asked for it. */
export async function GET(request: NextRequest): Promise<NextResponse> {
  const pending = await unseal<SignIn>("sign-in");
  await discard("sign-in");
  if (!pending) return NextResponse.redirect(origin() + "/auth/failed");
  try {
    await open(...(await finish(request.nextUrl.search, pending)));
  } catch (error) {
    console.error("A sign-in failed:", error instanceof Error ? error.message : error);
    return NextResponse.redirect(origin() + "/auth/failed");
  }
  return NextResponse.redirect(origin() + pending.returnTo);
}
