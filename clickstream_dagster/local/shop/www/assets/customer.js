/** Who is signed in. A real shop gets the ID token from Amazon Cognito; this one makes its own, unsigned. */
import { keep, kept } from "./kept.js";
import { tell } from "./tell.js";

const ISSUER = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_DemoShop";
const HOURS = 8;

/** The claims of the token that is kept, as long as it is valid. */
export function customer() {
  try {
    const payload = kept("token").split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (sign) => sign.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return claims.exp * 1_000 > Date.now() ? claims : undefined;
  } catch {
    return undefined; // nobody, or not a token
  }
}

export function signIn(name) {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub: idOf(name), iss: ISSUER, aud: "demo-shop", token_use: "id", iat: now, exp: now + HOURS * 3_600 };
  keep("token", `${base64({ alg: "none", typ: "JWT" })}.${base64({ ...claims, name })}.`);
}

/** On each page: the tracker knows by itself whether this is news. */
export function tellCustomer() {
  if (customer()) tell("login", kept("token"));
}

export function signOut() {
  keep("token", null);
  tell("logout");
}

function base64(claims) {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The same id for the same name, in the shape of a user pool's. */
function idOf(name) {
  const digits = [1, 2, 3, 4].map((seed) => {
    let hash = seed;
    for (const sign of name.trim().toLowerCase()) hash = Math.imul(hash ^ sign.codePointAt(0), 0x9e3779b1) ^ (hash >>> 15);
    return (hash >>> 0).toString(16).padStart(8, "0");
  });
  return digits.join("").replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, "$1-$2-4$3-a$4-$5");
}
