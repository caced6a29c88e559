"""Every document of the demo shop, by its path. What is not in this table is not there, whatever a path says."""

from __future__ import annotations

import hashlib
import json
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from clickstream_dagster.local.traffic.catalogue import CATEGORIES, CURRENCIES, MAIN_HOST, PRODUCTS, Product, slug

BASE = "/shop"
WWW = Path(__file__).parent / "www"
#: Path -> the file in www/pages, and what the page is called.
PAGES = {
    "/": ("home", "Computers and accessories"),
    "/search": ("search", "Search"),
    "/cart": ("cart", "Your cart"),
    "/checkout": ("checkout", "Checkout"),
    "/checkout/thank-you": ("thank-you", "Thank you"),
    "/sign-in": ("sign-in", "Sign in"),
    "/account": ("account", "Your account"),
}
#: The tracker's own files, beside the collector's path.
TRACKER_PATHS = ("/clickstream.js", "/clickstream-vitals.js", "/clickstream.mjs")
#: Nothing but this shop's own files, and no script that stands in a page: the tracker asks for no more than that.
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"


@dataclass(frozen=True)
class Document:
    """What a path answers with."""

    text: str
    kind: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def etag(self) -> str:
        """The same for the same bytes: a browser that has them is told so, and is never left with old ones."""
        return f'"{hashlib.sha256(self.text.encode()).hexdigest()[:20]}"'


@lru_cache(maxsize=1)
def documents() -> dict[str, Document]:
    """All of them; about a hundred, well under a megabyte."""
    found = {BASE + path: _page(name, title) for path, (name, title) in PAGES.items()}
    found |= {f"{BASE}/category/{slug(name)}": _page("category", name, {"category": name}) for name in CATEGORIES}
    found |= {BASE + product.url_path: _page("product", product.name, shown(product)) for product in PRODUCTS}
    found |= {f"{BASE}/assets/{file.name}": _file(file) for file in (WWW / "assets").iterdir() if file.is_file()}
    return found | {f"{BASE}/catalogue.json": Document(json.dumps(catalogue()), "application/json")} | _tracker()


@lru_cache(maxsize=1)
def not_found() -> Document:
    """The page for everything else."""
    return _page("not-found", "Page not found")


def catalogue() -> dict[str, Any]:
    """What the shop sells: what the generator's visitors buy, too."""
    return {
        "currency": CURRENCIES[MAIN_HOST],
        "categories": [{"name": name, "url_path": f"{BASE}/category/{slug(name)}"} for name in CATEGORIES],
        "products": [shown(product) for product in PRODUCTS],
    }


def shown(product: Product) -> dict[str, Any]:
    """A product as the pages have it, and as they hand it to the tracker: its event's fields, at this shop's address."""
    fields = {**product.payload, "url_path": BASE + product.url_path, "currency": CURRENCIES[MAIN_HOST]}
    prices = {name: float(fields[name]) for name in ("price", "discount_price") if name in fields}
    return fields | prices


def _page(name: str, title: str, data: dict[str, Any] | None = None) -> Document:
    links = (f'<li><a href="{BASE}/category/{slug(name)}">{escape(name)}</a></li>' for name in CATEGORIES)
    parts = {
        "title": escape(title),
        "page": name,
        "categories": "".join(links),
        "main": _read("pages", f"{name}.html"),
        # No script, so that the page is static; and a text that holds "</script>" does not end it.
        "data": json.dumps(data or {}).replace("<", "\\u003c"),
    }
    text = _read("layout.html")
    for part, value in parts.items():
        text = text.replace(f"{{{{{part}}}}}", value)
    return Document(text, "text/html; charset=utf-8", headers=(("content-security-policy", POLICY),))


def _read(*names: str) -> str:
    return WWW.joinpath(*names).read_text(encoding="utf-8")


def _file(file: Path) -> Document:
    kind = "text/javascript" if file.suffix in (".js", ".mjs") else mimetypes.guess_type(file.name)[0]
    return Document(file.read_text(encoding="utf-8"), f"{kind or 'text/plain'}; charset=utf-8")


def _tracker() -> dict[str, Document]:
    """A shop on another port may load them from here as well."""
    from_anywhere = (("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin"))
    made = {path: _file(tracker_folder() / path.lstrip("/")) for path in TRACKER_PATHS}
    return {path: Document(made.text, made.kind, headers=from_anywhere) for path, made in made.items()}


def tracker_folder() -> Path:
    """Where the built tracker lies: beside this file in a checkout, else in the installed package."""
    checkout = Path(__file__).resolve().parents[3] / "tracker" / "dist"
    if checkout.is_dir():
        return checkout
    package = find_spec("clickstream_tracker")
    places = (package.submodule_search_locations if package else None) or []
    return next(Path(place) for place in places if Path(place).is_dir())
