import { Link } from "@/components/link";
import { Picture } from "@/components/products";
import { Shelf } from "@/components/shelf";
import { Tiles } from "@/components/tiles";
import { deals, faces } from "@/lib/catalogue";

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
        <Tiles faces={first.map(({ id, category, brand }) => ({ id, category, brand }))} />
      </section>
      <section aria-labelledby="deals">
        <h2 id="deals">Reduced this week</h2>
        <Shelf name="Reduced this week" products={reduced} />
      </section>
    </>
  );
}
