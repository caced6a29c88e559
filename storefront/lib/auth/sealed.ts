/** Cookies that only this server can read or make: encrypted, for one use, and void after their time. */
import "server-only";
import { createHash } from "node:crypto";
import { EncryptJWT, type JWTPayload, jwtDecrypt } from "jose";
import { cookies } from "next/headers";
import { isSecure, secret } from "./settings";

const ALGORITHMS = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };
const key = (): Uint8Array => createHash("sha256").update(secret()).digest();
/** Over TLS a browser takes such a name from this host alone, and from none of its subdomains. */
const named = (use: string): string => (isSecure() ? "__Host-" : "") + "shop_" + use;

export async function seal(use: string, content: JWTPayload, seconds: number): Promise<void> {
  const text = await new EncryptJWT(content)
    .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
    .setAudience(use)
    .setExpirationTime(`${seconds} seconds`)
    .encrypt(key());
  const options = { httpOnly: true, sameSite: "lax", secure: isSecure(), path: "/", maxAge: seconds } as const;
  (await cookies()).set(named(use), text, options);
}

/** What was sealed for this use; null where it is over, of another key, or not ours. */
export async function unseal<T>(use: string): Promise<(T & { exp: number }) | null> {
  const text = (await cookies()).get(named(use))?.value;
  if (!text) return null;
  try {
    return (await jwtDecrypt(text, key(), { audience: use, ...ALGORITHMS })).payload as T & { exp: number };
  } catch {
    return null;
  }
}

export async function discard(use: string): Promise<void> {
  (await cookies()).set(named(use), "", { httpOnly: true, secure: isSecure(), path: "/", maxAge: 0 });
}
