/** Who is signed in. A session is the shop's own and ends after twelve hours; the ID token in it, which the tracker sends, lives
 * for an hour at Cognito and is renewed. */
import "server-only";
import { cache } from "react";
import { db } from "@/lib/db";
import { type Identity, type Tokens, refresh } from "./provider";
import { discard, seal, unseal } from "./sealed";

export interface User {
  /** `users.user_id`. */
  id: string;
  email: string;
  name: string | null;
  /** In the group `admin` of the token: may refund. */
  isAdmin: boolean;
}

type Session = Identity & { idToken: string; expires: number };

const HOURS = 3_600;
const LIFE = 12 * HOURS;
const EARLY = 60; // seconds: a token must outlive its way to the collector

/** The buyer who is signed in; nobody for a guest. */
export const currentUser = cache(async (): Promise<User | null> => {
  const session = await unseal<Session>("session");
  if (!session) return null;
  const known = await db().user.findUnique({ where: { cognitoSub: session.sub } });
  return known && { id: known.id, email: known.email, name: known.displayName, isAdmin: session.isAdmin };
});

/** Sign in. */
export async function open(identity: Identity, tokens: Tokens): Promise<void> {
  await remember(identity);
  await keep(identity, tokens, LIFE);
}

/** Sign out. Returns the ID token, by which the provider knows whose session ends. */
export async function close(): Promise<string | null> {
  const session = await unseal<Session>("session");
  await discard("session");
  await discard("refresh");
  return session?.idToken ?? null;
}

/** The ID token for the tracker and how long it lives, renewed if it is about to end. null: nobody is signed in, or no longer. */
export async function freshToken(): Promise<{ token: string; seconds: number } | null> {
  const session = await unseal<Session>("session");
  const isFresh = session && session.expires - EARLY > now();
  const tokens = isFresh ? session : await renewed();
  return tokens && { token: tokens.idToken, seconds: tokens.expires - now() };
}

/** Who the provider says that they are now, with a new token. null: nobody is signed in, or no longer. */
export async function renewed(): Promise<(Identity & Tokens) | null> {
  const [session, kept] = await Promise.all([unseal<Session>("session"), unseal<{ token: string }>("refresh")]);
  const given = session && kept && (await refresh(kept.token));
  if (!given) {
    await close();
    return null;
  }
  await keep(...given, session.exp - now());
  return { ...given[0], ...given[1] };
}

const now = (): number => Math.floor(Date.now() / 1_000);

/** In two cookies: with both tokens, one would be larger than browsers take. */
async function keep({ sub, email, name, isAdmin }: Identity, tokens: Tokens, seconds: number): Promise<void> {
  const { idToken, expires, refreshToken } = tokens;
  await seal("session", { sub, email, name, isAdmin, idToken, expires }, seconds);
  if (refreshToken) await seal("refresh", { token: refreshToken }, seconds);
}

/** Their row in `users`, found by the `sub`, or else by the e-mail address, which the provider has checked: who signs up anew with
 * it is the same buyer, and where the address is another row's, that row's orders become theirs. */
async function remember({ sub, email, name }: Identity): Promise<void> {
  const told = { cognitoSub: sub, email: email.toLowerCase(), displayName: name };
  await db().$transaction(async (tx) => {
    const own = await tx.user.findUnique({ where: { cognitoSub: sub } });
    const other = await tx.user.findFirst({ where: { email: told.email, id: { not: own?.id } } });
    if (own && other) {
      await tx.order.updateMany({ where: { userId: other.id }, data: { userId: own.id } });
      await tx.user.delete({ where: { id: other.id } });
    }
    const known = own ?? other;
    await (known ? tx.user.update({ where: { id: known.id }, data: told }) : tx.user.create({ data: told }));
  });
}
