import { Link } from "@/components/link";
import { Shelf } from "@/components/shelf";
import { money } from "@/lib/money";
import { type Product, paid, picturePath, productPath } from "@/lib/product";

/** Beside a name it says nothing more, so it has no text of its own. */
export function Picture({ product, isFirst }: { product: Parameters<typeof picturePath>[0]; isFirst?: boolean }) {
  const loading = isFirst ? "eager" : "lazy";
  return <img className="picture" src={picturePath(product)} alt="" width={400} height={300} loading={loading} />;
}

export function Price({ product }: { product: Product }) {
  return (
    <p className="price">
      <strong>{money(paid(product), product.currency)}</strong>
      {product.discountPrice != null && (
        <s>
          <span className="unseen">before: </span>
          {money(product.price, product.currency)}
        </s>
      )}
    </p>
  );
}

export const percentOff = (product: Product): number => Math.round(100 * (1 - paid(product) / product.price));

function Card({ product, isFirst }: { product: Product; isFirst: boolean }) {
  const { id, name, brand, stock } = product;
  return (
    <li className="card">
      <Picture product={product} isFirst={isFirst} />
      {!stock ? (
        <span className="tag out">Sold out</span>
      ) : (
        percentOff(product) > 0 && <span className="tag">−{percentOff(product)} %</span>
      )}
      <p className="soft">{brand}</p>
      <p className="name">
        <Link href={productPath(id)} data-product={id}>{name.startsWith(`${brand} `) ? name.slice(brand.length + 1) : name}</Link>
      </p>
      <Price product={product} />
    </li>
  );
}

/** `name` is what the reports call the list. */
export function Products({ name, products }: { name: string; products: Product[] }) {
  return (
    <Shelf name={name} products={products}>
      {products.map((product, place) => <Card key={product.id} product={product} isFirst={place < 4} />)}
    </Shelf>
  );
}
