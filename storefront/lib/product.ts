/** A product as pages and components have it: plain values, amounts in cents. */

/** What says which one it is. */
export interface Named {
  id: string;
  name: string;
  category: string;
  brand: string;
}

export interface Product extends Named {
  price: number;
  /** Where there is one, it is what is paid. */
  discountPrice: number | null;
  currency: string;
  stock: number;
}

export const paid = ({ price, discountPrice }: Product): number => discountPrice ?? price;

export const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

export const productPath = (id: string): string => `/product/${encodeURIComponent(id)}`;
export const categoryPath = (category: string): string => `/category/${slug(category)}`;
export const picturePath = ({ category, brand, id }: Pick<Product, "category" | "brand" | "id">): string =>
  `/picture/${slug(category)}/${slug(brand) || "none"}/${encodeURIComponent(id)}`;
