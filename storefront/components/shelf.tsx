"use client";

import { type MouseEvent, type ReactNode, useEffect, useRef } from "react";
import type { Product } from "@/lib/product";
import { listed, shown, tracker } from "@/lib/tracker";

interface Shown {
  /** As the reports name the list. */
  name: string;
  products: Product[];
  children: ReactNode;
}

/** A list of products. It tells the tracker when it has come into view, and which product is chosen in it. */
export function Shelf({ name, products, children }: Shown) {
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

  const choose = ({ target }: MouseEvent<HTMLElement>) => {
    const id = (target as Element).closest<HTMLElement>("a[data-product]")?.dataset.product;
    const product = products.find((one) => one.id == id);
    if (product) tracker().track("select_item", { list_name: name, product: shown(product) });
  };

  return (
    <ul className="shelf" ref={list} onClick={choose}>{children}</ul>
  );
}
