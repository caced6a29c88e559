"""The shop of the invented events: its products and pages, and what each kind of event says of them."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from ingest_lambda.contract import Event, Order, OrderItem, Product

SHOP = "https://www.shop.example"
_WORDS = ("Café", "Größe", '15" Pro', "Blau", "ultra", "Nº 5", "C:\\Set", "naïve", "Cotton", "Sport", "Mini", "🎁 Set")
_CATEGORIES = tuple(f"{kind} {number}" for kind in ("Women", "Men", "Kids", "Home") for number in range(12))
_MEDIA = (("google", "cpc", "gclid"), ("facebook", "paid_social", "fbclid"), ("newsletter", "email", "mc_eid"))
_ITEMS = (1, 1, 1, 2, 2, 3, 5, 8)
#: What a visitor does next, each as often as it stands here.
STEPS = (
    *("page_view",) * 7,
    *("view_product",) * 8,
    *("click",) * 4,
    *("add_to_cart",) * 2,
    *("search", "checkout", "purchase"),
)


def product(number: int) -> Product:
    """The same for a number, in any hour."""
    rng = random.Random(number)
    price = Decimal(rng.randrange(199, 99_999)) / 100
    return Product(
        id=f"sku-{100_000 + number}",
        name=f"{rng.choice(_WORDS)} {rng.choice(_WORDS)} {number}",
        category=rng.choice(_CATEGORIES),
        brand=f"Brand {number % 90}",
        price=price,
        discount_price=(price * 80 / 100).quantize(Decimal("0.01")) if number % 3 == 0 else None,
        url_path=f"/product/{rng.choice(_WORDS[3:5]).lower()}-{number}",
    )


class Shop:
    """Says what is in an event of a name: the fields that are not of the visit."""

    def __init__(self, rng: random.Random, products: int) -> None:
        self.rng = rng
        self.products = [product(number) for number in range(products)]

    def fields(self, name: str, last: Event) -> dict[str, Any]:
        """What this event says, after the last one of the visit."""
        if not last.page_url:
            return {"page_url": self._landing(), "page_title": "Welcome – Shop"}
        said: dict[str, Any] = getattr(self, f"_{name}")()
        return {"referrer": last.page_url, **said} if "page_url" in said else said

    def _page_view(self) -> dict[str, Any]:
        path = self.rng.choice(_CATEGORIES).lower().replace(" ", "-")
        return {"page_url": f"{SHOP}/c/{path}?page={self.rng.randrange(1, 30)}", "page_title": "Our range | Shop"}

    def _view_product(self) -> dict[str, Any]:
        seen = self._popular()
        address = f"{SHOP}{seen.url_path}?variant={self.rng.randrange(6)}"
        return {"page_url": address, "page_title": seen.name, "product": seen, "props": self._props()}

    def _click(self) -> dict[str, Any]:
        return {"props": self._props()}

    def _add_to_cart(self) -> dict[str, Any]:
        return {"product": self._popular(), "quantity": self.rng.randrange(1, 4), "props": self._props()}

    def _search(self) -> dict[str, Any]:
        words = f"{self.rng.choice(_WORDS)} {self.rng.choice(_WORDS)} {int(400 * self.rng.random() ** 2)}"
        return {"page_url": f"{SHOP}/search?q={words.replace(' ', '+')}", "search_query": words}

    def _checkout(self) -> dict[str, Any]:
        return {"page_url": f"{SHOP}/checkout", "page_title": "Checkout", "props": self._props()}

    def _purchase(self) -> dict[str, Any]:
        return {"page_url": f"{SHOP}/thank-you", "page_title": "Thank you", "order": self._order(), "currency": "EUR"}

    def _popular(self) -> Product:
        """A few products draw most of the views, and a long tail the rest."""
        return self.products[int(len(self.products) * self.rng.random() ** 3)]

    def _props(self) -> dict[str, Any]:
        rng = self.rng
        return {"position": rng.randrange(40), "list": rng.choice(_CATEGORIES), "ab": {"cta": rng.random() < 0.5}}

    def _landing(self) -> str:
        """Half of the landings come from a campaign, with a click id that no other has."""
        rng = self.rng
        if rng.random() < 0.5:
            return f"{SHOP}{rng.choice(self.products).url_path}"
        source, medium, click = rng.choice(_MEDIA)
        tags = f"utm_source={source}&utm_medium={medium}&utm_campaign=winter-{rng.randrange(60)}"
        click_id = f"utm_content=ad{rng.randrange(900)}&{click}={rng.getrandbits(120):030x}"
        return f"{SHOP}/landing/{rng.randrange(40)}?{tags}&{click_id}"

    def _order(self) -> Order:
        bought = [self.rng.choice(self.products) for _ in range(self.rng.choice(_ITEMS))]
        items = [_item(one, quantity) for quantity, one in enumerate(bought, 1)]
        value = sum((item.price * item.quantity for item in items if item.price), Decimal(0))
        return Order(id=f"SO-{self.rng.getrandbits(48):012X}", value=value, currency="EUR", items=items)


def _item(bought: Product, quantity: int) -> OrderItem:
    return OrderItem(
        product_id=bought.id,
        name=bought.name,
        category=bought.category,
        brand=bought.brand,
        price=bought.price,
        quantity=quantity,
    )
