/** The OpenID provider: Cognito's user pool, or on a laptop `dev/openid.mjs`. The library checks state, nonce, PKCE and the
 * ID token's signature, issuer, audience and time. */
import "server-only";
import * as openid from "openid-client";
import { clientId, issuer, origin } from "./settings";

export interface SignIn {
  verifier: string;
  state: string;
  nonce: string;
  /** Where the buyer was. */
  returnTo: string;
}

/** Who a token says it is. */
export interface Identity {
  sub: string;
  email: string;
  name: string | null;
  isAdmin: boolean;
}

export interface Tokens {
  idToken: string;
  /** Seconds since 1970. */
  expires: number;
  refreshToken?: string;
}

let found: Promise<openid.Configuration> | undefined;

/** The provider's addresses, asked for once; again if it did not answer. */
function provider(): Promise<openid.Configuration> {
  const server = issuer();
  // Plain HTTP is for the provider on this computer.
  const onLaptop = server.hostname === "localhost" || server.hostname === "127.0.0.1" ? [openid.allowInsecureRequests] : [];
  const execute = [openid.enableNonRepudiationChecks, ...onLaptop];
  found ??= openid.discovery(server, clientId(), undefined, openid.None(), { execute, timeout: 5 });
  found.catch(() => (found = undefined));
  return found;
}

const callback = (): string => origin() + "/auth/callback";

/** Where the browser goes to sign in, and what must be remembered until it comes back. */
export async function begin(returnTo: string): Promise<[URL, SignIn]> {
  const verifier = openid.randomPKCECodeVerifier();
  const [state, nonce] = [openid.randomState(), openid.randomNonce()];
  const address = openid.buildAuthorizationUrl(await provider(), {
    redirect_uri: callback(),
    scope: "openid email profile",
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
  return [address, { verifier, state, nonce, returnTo }];
}

/** The browser is back. Throws for an answer that is not the one to this sign-in. */
export async function finish(query: string, { verifier, state, nonce }: SignIn): Promise<[Identity, Tokens]> {
  const given = await openid.authorizationCodeGrant(await provider(), new URL(callback() + query), {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
  return read(given);
}

/** A fresh ID token, and who it says that it is now; null where the provider will give none any more. */
export async function refresh(refreshToken: string): Promise<[Identity, Tokens] | null> {
  try {
    return read(await openid.refreshTokenGrant(await provider(), refreshToken));
  } catch (error) {
    if (error instanceof openid.ResponseBodyError) return null; // it has answered, and said no
    throw error;
  }
}

/** Where the browser goes to sign out there, too. Cognito has words of its own for the way back. */
export async function signOutAddress(idToken: string): Promise<URL> {
  const back = origin() + "/";
  return openid.buildEndSessionUrl(await provider(), {
    id_token_hint: idToken,
    post_logout_redirect_uri: back,
    logout_uri: back,
  });
}

type Given = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;

function read(given: Given): [Identity, Tokens] {
  const claims = given.claims();
  if (!claims) throw new Error("The provider sent no ID token. Allow the scope openid for this client.");
  const { sub, email, email_verified, name, exp } = claims;
  // Orders are found again by the address: it must be theirs.
  if (typeof email !== "string" || email_verified !== true) throw new Error("The provider has not checked this e-mail address.");
  const groups = claims["cognito:groups"];
  const isAdmin = Array.isArray(groups) && groups.includes("admin");
  return [
    { sub, email, name: typeof name === "string" ? name : null, isAdmin },
    { idToken: given.id_token!, expires: exp, refreshToken: given.refresh_token },
  ];
}
