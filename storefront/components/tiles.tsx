"use client";

import { Link } from "@/components/link";
import { Picture } from "@/components/products";
import { type Named, categoryPath } from "@/lib/product";

/** The categories, each with its first product. Made in the browser, as the cards of a shelf are. */
export const Tiles = ({ faces }: { faces: Omit<Named, "name">[] }) => (
  <ul className="tiles">
    {faces.map((face) => (
      <li key={face.category}>
        <Link href={categoryPath(face.category)}>
          <Picture product={face} />
          {face.category}
        </Link>
      </li>
    ))}
  </ul>
);
