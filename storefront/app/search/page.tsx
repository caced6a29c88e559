import type { Metadata } from "next";
import { Link } from "@/components/link";
import { Searched } from "@/components/events";
import { Shelf } from "@/components/shelf";
import { categories, search } from "@/lib/catalogue";
import { categoryPath } from "@/lib/product";

interface Props {
  searchParams: Promise<{ q?: string | string[] }>;
}

export const metadata: Metadata = { title: "Search", robots: { index: false } };

export default async function Search({ searchParams }: Props) {
  const query = String((await searchParams).q ?? "")
    .trim()
    .slice(0, 200);
  const [found, names] = await Promise.all([search(query), categories()]);
  const count = `${found.length || "No"} ${found.length == 1 ? "product" : "products"} found`;
  return (
    <>
      {query && <Searched query={query} results={found.length} />}
      <div className="head">
        <div>
          <h1>{query ? `“${query}”` : "Search"}</h1>
          <p className="soft" role="status">{query && count}</p>
        </div>
      </div>
      {found.length ? (
        <Shelf name="Search results" products={found} />
      ) : (
        <nav className="chips" aria-label="Categories to look into">
          {names.map((name) => <Link key={name} className="chip" href={categoryPath(name)}>{name}</Link>)}
        </nav>
      )}
    </>
  );
}
