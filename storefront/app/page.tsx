import { Link } from "@/components/link";
import { Picture } from "@/components/products";
import { Shelf } from "@/components/shelf";
import { deals, faces } from "@/lib/catalogue";
import { categoryPath } from "@/lib/product";

export default async function Home() {
  const [first, reduced] = await Promise.all([faces(), deals()]);
  return (
    <>
      <section className="hero">
        <div>
          <h1>Tools for people who build things.</h1>
          <p>
            Laptops that stay quiet, keyboards that last, and screens that are kind to your eyes. Sixty products, each chosen with
            care.
          </p>
          <p className="actions"><Link className="button" href="#deals">See what is reduced</Link></p>
        </div>
        <div className="hero-pictures" aria-hidden="true">
          {first.slice(0, 3).map((face) => <Picture key={face.id} product={face} isFirst />)}
        </div>
      </section>
      <section aria-labelledby="categories">
        <h2 id="categories">Categories</h2>
        <ul className="tiles">
          {first.map((face) => (
            <li key={face.category}>
              <Link href={categoryPath(face.category)}>
                <Picture product={face} />
                {face.category}
              </Link>
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="deals">
        <h2 id="deals">Reduced this week</h2>
        <Shelf name="Reduced this week" products={reduced} />
      </section>
    </>
  );
}
