import type { Metadata } from "next";
import { Link } from "@/components/link";
import { notFound } from "next/navigation";
import { AddToCart } from "@/components/add-to-cart";
import { ProductViewed } from "@/components/events";
import { Picture, Price } from "@/components/products";
import { Shelf } from "@/components/shelf";
import { MOST_PIECES } from "@/lib/cart";
import { productOf, similar } from "@/lib/catalogue";
import { money } from "@/lib/money";
import { FREE_FROM } from "@/lib/pricing";
import { type Product, categoryPath } from "@/lib/product";
import { lineOf, pointsOf } from "@/lib/words";

interface Props {
  params: Promise<{ id: string }>;
}

async function found({ params }: Props): Promise<Product> {
  return (await productOf(decodeURIComponent((await params).id))) ?? notFound();
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  const { name, category } = await found(props);
  return { title: name, description: lineOf(category) };
}

/** Few pieces are worth saying, many are not. */
function inStock(stock: number): string {
  if (!stock) return "Sold out";
  return stock <= 3 ? `Only ${stock} left` : "In stock, sent today";
}

export default async function ProductPage(props: Props) {
  const product = await found(props);
  const { name, brand, category, stock, currency } = product;
  const others = await similar(product);
  return (
    <>
      <ProductViewed product={product} />
      <nav className="trail soft" aria-label="Breadcrumb">
        <Link href="/">Home</Link>
        <Link href={categoryPath(category)}>{category}</Link>
      </nav>
      <article className="product">
        <Picture product={product} isFirst />
        <div>
          <p className="soft">{brand}</p>
          <h1>{name}</h1>
          <p className="lead">{lineOf(category)}</p>
          <Price product={product} />
          <p className={stock ? "stock" : "stock none"}>{inStock(stock)}</p>
          {stock > 0 && <AddToCart product={product} most={Math.min(stock, MOST_PIECES)} />}
          <ul className="points">
            {pointsOf(category).map((point) => <li key={point}>{point}</li>)}
            <li>Delivery is free from {money(FREE_FROM, currency)}</li>
          </ul>
        </div>
      </article>
      {others.length > 0 && (
        <section aria-labelledby="similar">
          <h2 id="similar">Others looked at</h2>
          <Shelf name="Others looked at" products={others} />
        </section>
      )}
    </>
  );
}
