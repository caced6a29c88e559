import { money } from "@/lib/money";
import { type Product, paid, picturePath } from "@/lib/product";

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
