/** A Content Security Policy for each page, with a nonce of its own: Next.js reads it from here for its own scripts. */
import { type NextRequest, NextResponse } from "next/server";

export function middleware(request: NextRequest): NextResponse {
  const nonce = btoa(crypto.randomUUID());
  const collector = process.env.CLICKSTREAM_URL ? new URL(process.env.CLICKSTREAM_URL).origin : "";
  const development = process.env.NODE_ENV == "development" ? "'unsafe-eval'" : "";
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic' ${development}`,
    `style-src 'self' ${development && "'unsafe-inline'"}`,
    `connect-src 'self' ${collector}`,
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  ].join("; ");
  const headers = new Headers(request.headers);
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  return response;
}

export const config = { matcher: ["/((?!_next/static|picture/).*)"] };
