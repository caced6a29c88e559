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
  const { id, email, displayName } =
    (await db().user.findUnique({ where: { cognitoSub: session.sub } })) ?? (await remember(session));
  return { id, email, name: displayName, isAdmin: session.isAdmin };
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
  if (!session) return null;
  const now = Math.floor(Date.now() / 1_000);
  if (session.expires - EARLY > now) return { token: session.idToken, seconds: session.expires - now };
  const kept = await unseal<{ token: string }>("refresh");
  const renewed = kept && (await refresh(kept.token));
  if (!renewed) {
    await close();
    return null;
  }
  await keep(...renewed, session.exp - now);
  return { token: renewed[1].idToken, seconds: renewed[1].expires - now };
}

/** In two cookies: with both tokens, one would be larger than browsers take. */
async function keep({ sub, email, name, isAdmin }: Identity, tokens: Tokens, seconds: number): Promise<void> {
  const { idToken, expires, refreshToken } = tokens;
  await seal("session", { sub, email, name, isAdmin, idToken, expires }, seconds);
  if (refreshToken) await seal("refresh", { token: refreshToken }, seconds);
}

/** Their row in `users`, found by the `sub`, or by the e-mail address: who signs up anew with it is the same buyer. */
async function remember({ sub, email, name }: Identity) {
  const told = { cognitoSub: sub, email: email.toLowerCase(), displayName: name };
  const known = await db().user.findFirst({ where: { OR: [{ cognitoSub: sub }, { email: told.email }] } });
  return known ? db().user.update({ where: { id: known.id }, data: told }) : db().user.create({ data: told });
}
