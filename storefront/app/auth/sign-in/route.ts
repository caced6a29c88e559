import { NextResponse } from "next/server";
import type { NextRequest } from "next/server";
import { begin } from "@/lib/auth/provider";
import { seal } from "@/lib/auth/sealed";
import { ownPath } from "@/lib/auth/way-back";

const PATIENCE = 900; // seconds in which a buyer signs up there

/** To the provider, and back to `?return=/path`. */
export async function GET(request: NextRequest): Promise<NextResponse> {
  const [address, pending] = await begin(ownPath(request.nextUrl.searchParams.get("return")));
  await seal("sign-in", { ...pending }, PATIENCE);
  return NextResponse.redirect(address);
}
