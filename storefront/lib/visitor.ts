/** The tracker's visitor: the server reads the cookie that the tracker writes when it may. */
import "server-only";
import { cookies } from "next/headers";

/** `client_id` of this browser's events; null without consent. */
export async function clientId(): Promise<string | null> {
  const cookie = (await cookies()).get("_cs")?.value ?? "";
  return /^1:([\w-]{36}):/.exec(cookie)?.[1] ?? null;
}
