import type { Metadata } from "next";
import { Link } from "@/components/link";
import { notFound } from "next/navigation";
import { Shelf } from "@/components/shelf";
import { SORTS, categoryOf, inCategory } from "@/lib/catalogue";
import { categoryPath } from "@/lib/product";
import { lineOf } from "@/lib/words";

interface Props {
  params: Promise<{ slug: string }>;
  searchParams: Promise<{ sort?: string }>;
}

async function found({ params }: Props): Promise<string> {
  return (await categoryOf((await params).slug)) ?? notFound();
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  return { title: await found(props) };
}

export default async function Category(props: Props) {
  const category = await found(props);
  const { sort = "" } = await props.searchParams;
  const products = await inCategory(category, sort);
  return (
    <>
      <div className="head">
        <div>
          <h1>{category}</h1>
          <p className="soft">{lineOf(category)}</p>
        </div>
        <nav className="chips" aria-label="Sort by">
          {Object.entries(SORTS).map(([key, label]) => (
            <Link
              key={key}
              className="chip"
              href={key ? `?sort=${key}` : categoryPath(category)}
              aria-current={key == sort || undefined}
              scroll={false}
            >
              {label}
            </Link>
          ))}
        </nav>
      </div>
      <Shelf name={category} products={products} />
    </>
  );
}
