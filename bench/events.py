"""Invented events of a busy shop, the same for a seed on every machine: what the benchmarks load.

Meant to be what costs a loader most of what a shop really sends, not what flatters it: visits lie mixed, so that no two lines
after each other are alike; every landing has an address of its own; texts hold quotes, umlauts and emoji; a fiftieth are retries.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from browsers import device, user_agent
from msgspec.structs import replace

from ingest_lambda.contract import Event, Geo, Order, OrderItem, Product

START = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = "https://www.shop.example"
RETRIES, CONFLICTS = 0.02, 0.001
_WORDS = ("Café", "Größe", '15" Pro', "Blau", "ultra", "Nº 5", "C:\\Set", "naïve", "Cotton", "Sport", "Mini", "🎁 Set")
_CATEGORIES = tuple(f"{kind} {number}" for kind in ("Women", "Men", "Kids", "Home") for number in range(12))
_PLACES = (
    ("US", "IL", "Chicago"),
    ("DE", "HH", "Hamburg"),
    ("VN", "SG", "Hồ Chí Minh"),
    ("GB", None, "Leeds"),
    ("FR", None, None),
)
_ORIGINS = (
    "https://www.google.com/",
    "https://l.facebook.com/",
    "https://duckduckgo.com/",
    "https://blog.example/gifts",
    None,
)
_MEDIA = (("google", "cpc", "gclid"), ("facebook", "paid_social", "fbclid"), ("newsletter", "email", "mc_eid"))
_STEPS = (
    ("page_view",) * 7
    + ("view_product",) * 8
    + ("click",) * 4
    + ("add_to_cart",) * 2
    + ("search", "checkout", "purchase")
)


def _product(number: int) -> Product:
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


class Traffic:
    """The events of one hour, in the order in which they are received. A visit is the visitor's next event at each step."""

    def __init__(self, seed: int, hour: datetime, count: int, products: int = 5_000) -> None:
        self.rng = random.Random(seed)
        self.seed, self.hour, self.count = seed, hour, count
        self.products = [_product(number) for number in range(products)]
        # So many at a time that each of them does something every three minutes, whatever the size of the hour.
        self.visits = [self._arrival() for _ in range(max(4, count // 20))]

    def __iter__(self) -> Iterator[Event]:
        rng, recent = self.rng, []
        for number in range(self.count):
            at = self.hour + timedelta(microseconds=int(3_599_000_000 * number / self.count))
            chance = rng.random()
            if recent and chance < RETRIES + CONFLICTS:
                yield self._again(rng.choice(recent), at, is_conflict=chance < CONFLICTS)
                continue
            event = self._next(at)
            if len(recent) < 20_000:
                recent.append(event)
            else:
                recent[rng.randrange(20_000)] = event
            yield event

    def _again(self, event: Event, at: datetime, is_conflict: bool) -> Event:
        """A retry says the same and comes later; a conflict has the id of another event, which is a defect of some client."""
        return replace(
            event, received_at=at, sent_at=at, page_title="Another page" if is_conflict else event.page_title
        )

    def _next(self, at: datetime) -> Event:
        rng = self.rng
        place = rng.randrange(len(self.visits))
        last = self.visits[place]
        if rng.random() < 0.12:
            last = self.visits[place] = self._arrival()
        name = rng.choice(_STEPS) if last.page_url else "page_view"
        event = replace(
            last,
            event_id=UUID(int=rng.getrandbits(128), version=4),
            event_name=name,
            event_timestamp=at - timedelta(milliseconds=rng.randrange(40, 9_000)),
            received_at=at,
            sent_at=at - timedelta(milliseconds=rng.randrange(20, 40)),
            **self._content(name, last),
        )
        if rng.random() < 0.03:  # a clock that is wrong, which the collector has put right
            event = replace(event, client_timestamp=at - timedelta(days=1), time_source="corrected")
        self.visits[place] = replace(event, product=None, order=None, quantity=None, search_query=None)
        return event

    def _content(self, name: str, last: Event) -> dict[str, object]:
        rng = self.rng
        # A few products draw most of the views, and the long tail the rest.
        product = self.products[int(len(self.products) * rng.random() ** 3)]
        props: dict[str, object] = {
            "position": rng.randrange(40),
            "list": rng.choice(_CATEGORIES),
            "ab": {"cta": rng.random() < 0.5},
        }
        if name == "click" or name == "add_to_cart":
            return {
                "props": props,
                **({"product": product, "quantity": rng.randrange(1, 4)} if name != "click" else {}),
            }
        referrer = last.page_url or last.referrer
        if name == "view_product":
            address = f"{SHOP}{product.url_path}?variant={rng.randrange(6)}"
            return {
                "page_url": address,
                "page_title": product.name,
                "referrer": referrer,
                "product": product,
                "props": props,
            }
        if name == "search":
            words = f"{rng.choice(_WORDS)} {rng.choice(_WORDS)} {int(400 * rng.random() ** 2)}"
            return {
                "page_url": f"{SHOP}/search?q={words.replace(' ', '+')}",
                "referrer": referrer,
                "search_query": words,
            }
        if name == "purchase":
            return {"page_url": f"{SHOP}/thank-you", "referrer": referrer, "order": self._order(), "currency": "EUR"}
        if name == "page_view" and last.page_url:
            address = f"{SHOP}/c/{rng.choice(_CATEGORIES).lower().replace(' ', '-')}?page={rng.randrange(1, 30)}"
            return {"page_url": address, "page_title": "Our range | Shop", "referrer": referrer, "props": None}
        if name == "checkout":
            return {"page_url": f"{SHOP}/checkout", "referrer": referrer, "props": props}
        return {"page_url": self._landing(), "page_title": "Welcome – Shop", "props": None}

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
        rng = self.rng
        bought = [rng.choice(self.products) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8)))]
        items = [
            OrderItem(
                product_id=one.id, name=one.name, category=one.category, brand=one.brand, price=one.price, quantity=n
            )
            for n, one in enumerate(bought, 1)
        ]
        value = sum((item.price * item.quantity for item in items if item.price), Decimal(0))
        return Order(id=f"SO-{rng.getrandbits(48):012X}", value=value, currency="EUR", items=items)

    def _arrival(self) -> Event:
        """A visit that begins. Four in ten are of a visitor who may have been there before, in any hour of any seed."""
        rng = self.rng
        agent = user_agent(rng)
        country, region, city = rng.choice(_PLACES)
        return Event(
            event_id=UUID(int=0),
            event_name="page_view",
            event_timestamp=START,
            received_at=START,
            client_id=f"v{rng.randrange(80_000)}"
            if rng.random() < 0.4
            else str(UUID(int=rng.getrandbits(128), version=4)),
            session_id=str(UUID(int=rng.getrandbits(128), version=4)),
            user_id=f"u-{rng.getrandbits(40):010x}" if rng.random() < 0.15 else None,
            user_login_state=rng.choice(("guest", "logged_in")),
            identity_source="cookie",
            is_first_visit=rng.random() < 0.6,
            referrer=rng.choice(_ORIGINS),
            device=device(rng, agent),
            geo=Geo(country=country, region=region, city=city),
            consent="granted",
            is_gpc=rng.random() < 0.1,
            user_agent=agent,
            tracker_version="0.4.0",
        )
