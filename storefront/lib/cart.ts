/**
 * The cart: a cookie that scripts cannot read. It holds ids and quantities only, so there is nothing in it to forge; prices are
 * looked up. Its id becomes the order's, so a cart is ordered once, however often the button is pressed.
 */
import "server-only";
import { cookies } from "next/headers";
import { isSecure } from "@/lib/auth/settings";
import { productsOf } from "@/lib/catalogue";
import { type Line } from "@/lib/pricing";
import { type Product, paid } from "@/lib/product";
import { isUuid } from "@/lib/uuid";

const COOKIE = "cart";
const DAYS = 30;
/** A cookie holds 4 kB. */
export const MOST_LINES = 40;
export const MOST_PIECES = 20;

export interface Cart {
  id: string;
  quantities: Record<string, number>;
}

export async function readCart(): Promise<Cart> {
  return parse((await cookies()).get(COOKIE)?.value) ?? { id: crypto.randomUUID(), quantities: {} };
}

export async function writeCart(cart: Cart): Promise<void> {
  const options = { httpOnly: true, sameSite: "lax", path: "/", maxAge: DAYS * 86_400, secure: isSecure() } as const;
  (await cookies()).set(COOKIE, JSON.stringify([cart.id, ...Object.entries(cart.quantities)]), options);
}

export const forgetCart = async (): Promise<void> => void (await cookies()).delete(COOKIE);

/** Lines of a cart whose order stood already, as another one's: what was put in after it is a cart of its own. */
export async function keepRest(lines: Line[], ordered: Line[]): Promise<void> {
  const before = new Map(ordered.map(({ id, quantity }) => [id, quantity]));
  const rest = lines.map(({ id, quantity }) => [id, quantity - (before.get(id) ?? 0)] as const);
  await writeCart({ id: crypto.randomUUID(), quantities: Object.fromEntries(rest.filter(([, quantity]) => quantity > 0)) });
}

export const pieces = ({ quantities }: Cart): number => Object.values(quantities).reduce((sum, one) => sum + one, 0);

/** Its lines at today's prices; what is no longer sold is left out. */
export async function linesOf({ quantities }: Cart): Promise<(Product & Line)[]> {
  const ids = Object.keys(quantities);
  const products = ids.length ? await productsOf(ids) : [];
  return products.map((product) => ({ ...product, quantity: quantities[product.id]!, unitPrice: paid(product) }));
}

/** What a visitor has made of the cookie is a new cart. */
function parse(text: string | undefined): Cart | undefined {
  try {
    const [id, ...lines] = JSON.parse(text ?? "") as [string, ...[string, number][]];
    if (!isUuid(id)) return undefined;
    const isLine = ([product, quantity]: [string, number]) =>
      typeof product == "string" && Number.isInteger(quantity) && quantity > 0 && quantity <= MOST_PIECES;
    return { id, quantities: Object.fromEntries(lines.filter(isLine).slice(0, MOST_LINES)) };
  } catch {
    return undefined;
  }
}
