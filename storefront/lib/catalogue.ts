/** What the shop sells. */
import "server-only";
import { cache } from "react";
import { type Prisma } from "@/generated/prisma/client";
import { db } from "@/lib/db";
import { cents } from "@/lib/money";
import { type Product, paid, slug } from "@/lib/product";
import { calledSo } from "@/lib/words";

const withStock = { inventory: { select: { quantity: true } } } as const;
type Row = Prisma.ProductGetPayload<{ include: typeof withStock }>;

const SEARCH_WORDS = 8;
const SEARCH_RESULTS = 60;

const fromRow = (row: Row): Product => ({
  id: row.id,
  name: row.name,
  category: row.category,
  brand: row.brand ?? "",
  price: cents(row.price),
  discountPrice: row.discountPrice && cents(row.discountPrice),
  currency: row.currency,
  stock: row.inventory?.quantity ?? 0,
});

async function find(where: Prisma.ProductWhereInput, take?: number): Promise<Product[]> {
  const active = { isActive: true, ...where };
  const rows = await db().product.findMany({ where: active, include: withStock, orderBy: { id: "asc" }, take });
  return rows.map(fromRow);
}

/** The first product of each category, in the order in which the categories came into the shop. */
export const faces = cache(async (): Promise<Product[]> => {
  const rows = await db().product.findMany({
    where: { isActive: true },
    distinct: "category",
    include: withStock,
    orderBy: { id: "asc" },
  });
  return rows.map(fromRow);
});

export const categories = async (): Promise<string[]> => (await faces()).map(({ category }) => category);

export const categoryOf = async (path: string): Promise<string | undefined> =>
  (await categories()).find((category) => slug(category) == path);

export const productOf = cache(async (id: string): Promise<Product | undefined> => (await find({ id }))[0]);
export const productsOf = (ids: string[]): Promise<Product[]> => find({ id: { in: ids } });

export const SORTS = { "": "Recommended", up: "Price, lowest first", down: "Price, highest first" };

export async function inCategory(category: string, sort: string): Promise<Product[]> {
  const found = await find({ category });
  if (sort == "up") found.sort((a, b) => paid(a) - paid(b));
  if (sort == "down") found.sort((a, b) => paid(b) - paid(a));
  return found;
}

/** Others of the category, those of the same brand first. */
export async function similar(product: Product): Promise<Product[]> {
  const found = await find({ category: product.category, id: { not: product.id } });
  return found.sort((a, b) => +(b.brand == product.brand) - +(a.brand == product.brand)).slice(0, 4);
}

/** Those with the largest discounts, in stock. */
export async function deals(): Promise<Product[]> {
  const found = await find({ discountPrice: { not: null }, inventory: { quantity: { gt: 0 } } });
  return found.sort((a, b) => paid(a) / a.price - paid(b) / b.price).slice(0, 8);
}

/** The products that have each word of the query in name, category or brand, or are called so. */
export async function search(query: string): Promise<Product[]> {
  const words =
    query
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.slice(0, SEARCH_WORDS) ?? [];
  if (!words.length) return [];
  const isIn = (contains: string) => ({ contains, mode: "insensitive" }) as const;
  const named = (word: string): Prisma.ProductWhereInput => ({
    OR: [
      { name: isIn(word) },
      { name: isIn(word.replace(/(\d)(\p{L})/u, "$1 $2")) }, // some write 240hz, and some 240 Hz
      { category: isIn(word) },
      { brand: isIn(word) },
      { category: { in: calledSo(word) } },
    ],
  });
  return find({ AND: words.map(named) }, SEARCH_RESULTS);
}
