import { NextResponse } from "next/server";
import { freshToken } from "@/lib/auth/session";

/** The ID token, for the tracker of the page. It opens nothing but the collector's signed-in path; the refresh token stays here. */
export async function GET(): Promise<NextResponse> {
  const headers = { "cache-control": "no-store" };
  const fresh = await freshToken();
  return NextResponse.json(fresh, { status: fresh ? 200 : 401, headers });
}
