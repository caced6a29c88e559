"use client";

import { useEffect, useRef } from "react";
import { Link } from "@/components/link";
import { Picture, Price, percentOff } from "@/components/products";
import { type Product, productPath } from "@/lib/product";
import { listed, shown, tracker } from "@/lib/tracker";

/**
 * A list of products; `name` is what the reports call it. It tells the tracker when it has come into view, and which product is
 * chosen in it. The cards are made here, of plain data: elements beyond the first 3,200 bytes of a server's page come in parts, and
 * React 19.2, which Next.js 15 brings, may lose its place in a list that waits for one (react/react issue 35210, mended in 19.3).
 */
export function Shelf({ name, products }: { name: string; products: Product[] }) {
  const list = useRef<HTMLUListElement>(null);
  const ids = products.map(({ id }) => id).join(" ");

  useEffect(() => {
    if (!list.current || !products.length) return;
    const seen = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return;
      seen.disconnect();
      tracker().track("view_item_list", { list_name: name, items: products.map(listed) });
    });
    seen.observe(list.current);
    return () => seen.disconnect();
  }, [name, ids]);

  const choose = (product: Product) => tracker().track("select_item", { list_name: name, product: shown(product) });

  return (
    <ul className="shelf" ref={list}>
      {products.map((product, place) => (
        <Card key={product.id} product={product} isFirst={place < 4} onChoose={() => choose(product)} />
      ))}
    </ul>
  );
}

function Card({ product, isFirst, onChoose }: { product: Product; isFirst: boolean; onChoose: () => void }) {
  const { id, name, brand, stock } = product;
  const off = percentOff(product);
  return (
    <li className="card">
      <Picture product={product} isFirst={isFirst} />
      {!stock ? <span className="tag out">Sold out</span> : off > 0 && <span className="tag">−{off} %</span>}
      <p className="soft">{brand}</p>
      <p className="name">
        <Link href={productPath(id)} onClick={onChoose}>{name.startsWith(`${brand} `) ? name.slice(brand.length + 1) : name}</Link>
      </p>
      <Price product={product} />
    </li>
  );
}
