/** What signing in needs of the environment. */
import "server-only";

function setting(name: string, example: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: it takes ${example}. make shop sets it; docs/deploy.md says how AWS does.`);
  return value;
}

/** The OpenID provider's address, as its tokens name it. */
export const issuer = (): URL => new URL(setting("OPENID_ISSUER", "https://cognito-idp.REGION.amazonaws.com/POOL"));
export const clientId = (): string => setting("OPENID_CLIENT_ID", "the shop's id at the provider");

/** The shop as its visitors see it. Never read from a request: whoever sends one chooses its `Host`. */
export const origin = (): string => new URL(setting("SHOP_URL", "https://shop.example")).origin;
export const isSecure = (): boolean => origin().startsWith("https:");

/** What cookies are encrypted with. */
export function secret(): string {
  const value = setting("SESSION_SECRET", "32 characters or more: openssl rand -hex 32");
  if (value.length < 32) throw new Error("SESSION_SECRET is too short: it takes 32 characters or more: openssl rand -hex 32");
  return value;
}
