/** An OpenID provider for this computer, in Cognito's place: whoever gives a name and an e-mail address has an account, without
 * a password, until this process ends. The same address is the same `sub`, also the next time.
 *
 *   SHOP_URL=http://localhost:3100 OPENID_PORT=3200 node dev/openid.mjs
 */
import { createHash, randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";
import { signInPage, signOutPage, signedOutPage } from "./pages.mjs";

const shop = process.env.SHOP_URL ?? "http://localhost:3100";
const port = Number(process.env.OPENID_PORT ?? 3200);
const issuer = `http://localhost:${port}`;
const minutes = Number(process.env.OPENID_TOKEN_MINUTES ?? 60); // as Cognito's

const accounts = new Map();
remember("Back office", "owner@bitforge.example", { "cognito:groups": ["admin"] });

function remember(name, email, more) {
  const [a, b, c, d, e] = createHash("sha256").update(email).digest("hex").match(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})/).slice(1);
  const sub = `${a}-${b}-4${c}-8${d}-${e}`; // in the shape of a user pool's
  accounts.set(sub, { sub, name, email, email_verified: true, ...more });
  return sub;
}

const addressOf = (given) => given.get("email").trim().toLowerCase();

const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: process.env.OPENID_CLIENT_ID ?? "shop",
      token_endpoint_auth_method: "none", // as the user pool's client: the code is bound by PKCE
      redirect_uris: [`${shop}/auth/callback`],
      post_logout_redirect_uris: [`${shop}/`],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub", "cognito:groups"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false, // Cognito writes them into the ID token, too
  cookies: { keys: [randomBytes(32).toString("hex")] },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => void (ctx.body = signOutPage(form)),
      postLogoutSuccessSource: (ctx) => void (ctx.body = signedOutPage()),
    },
  },
  findAccount: (_, sub) => accounts.has(sub) && { accountId: sub, claims: () => accounts.get(sub) },
  interactions: { url: (_, { uid }) => `/sign-in/${uid}` },
  issueRefreshToken: () => true,
  rotateRefreshToken: false,
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "RS256", use: "sig" }] },
  // The shop is the provider's own: it asks nobody for consent.
  async loadExistingGrant({ oidc: { client, session, provider } }) {
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid email profile");
    await grant.save();
    return grant;
  },
  ttl: { IdToken: minutes * 60, AccessToken: minutes * 60, RefreshToken: 86_400, Session: 86_400, Grant: 86_400, Interaction: 900 },
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/sign-in/")) return next();
  await provider.interactionDetails(ctx.req, ctx.res); // throws where nobody has asked for a sign-in
  if (ctx.method !== "POST") return void (ctx.body = signInPage([...accounts.values()]));
  const given = new URLSearchParams(Buffer.concat(await ctx.req.toArray()).toString());
  const known = given.get("sub") ?? [...accounts.values()].find(({ email }) => email === addressOf(given))?.sub;
  const accountId = known ?? remember(given.get("name").trim(), addressOf(given));
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId } }, { mergeWithLastSubmission: false });
});
provider.listen(port, "127.0.0.1", () => console.log(`Sign-in: ${issuer}`));
