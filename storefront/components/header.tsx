import Form from "next/form";
import { Link } from "@/components/link";
import { categories } from "@/lib/catalogue";
import { currentUser } from "@/lib/auth/session";
import { pieces, readCart } from "@/lib/cart";
import { categoryPath } from "@/lib/product";

export async function Header() {
  const [names, cart, user] = await Promise.all([categories(), readCart(), currentUser()]);
  const count = pieces(cart);
  return (
    <header className="top">
      <Link className="logo" href="/">
        <img src="/icon.svg" alt="" width={30} height={30} />
        Bitforge
      </Link>
      <Form className="finder" role="search" action="/search" prefetch={false}>
        <input
          type="search"
          name="q"
          placeholder="Search the shop"
          aria-label="Search the shop"
          autoComplete="off"
          required
          maxLength={200}
        />
        <button aria-label="Search">
          <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
            <circle cx="10.5" cy="10.5" r="6.5" />
            <path d="m15.5 15.5 5 5" />
          </svg>
        </button>
      </Form>
      <Link className="tool" href="/account">{user ? (user.name ?? "Account") : "Sign in"}</Link>
      <Link className="tool" href="/cart">Cart{count > 0 && <b>{count}</b>}</Link>
      <nav aria-label="Categories">
        <ul>{names.map((name) => <li key={name}><Link href={categoryPath(name)}>{name}</Link></li>)}</ul>
      </nav>
    </header>
  );
}
