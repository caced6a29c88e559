"""One visit as the tracker in one browser tab sees it: pages, actions, the pauses between them, and the cart."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from clickstream_dagster.local.traffic.catalogue import CURRENCIES, Product
from clickstream_dagster.local.traffic.visitors import Arrival, Visitor, uuid4

#: The tracker starts a new browser session after this much silence.
IDLE = timedelta(minutes=30)
TRACKER_VERSION = "1.4.0"
Event = dict[str, Any]


@dataclass(slots=True)
class Hit:
    """One event and when it truly happened. `mark` says what is odd about it; most have none."""

    at: datetime
    event: Event
    mark: str = ""


@dataclass(slots=True)
class Visit:
    """What one visit left behind."""

    visitor: Visitor
    hits: list[Hit]
    orders: list[Event] = field(default_factory=list)
    is_bot: bool = False


class Tab:
    """Writes the events of one visit, in order, by the true clock."""

    def __init__(self, rng: random.Random, visitor: Visitor, start: datetime, arrival: Arrival) -> None:
        self.rng = rng
        self.visitor = visitor
        self.now = start
        self.hits: list[Hit] = []
        self.orders: list[Event] = []
        self.url = ""
        self._title = ""
        self._query = arrival.query.format(click=f"{rng.getrandbits(72):018x}") if arrival.query else ""
        self._referrer = arrival.referrer
        self._session_id = uuid4(rng)
        self._envelope = self._identity()

    def page(self, path: str, title: str, name: str = "page_view", **fields: Any) -> None:
        """Open a page. The first one carries the campaign; each later one is referred by the one before."""
        if self.url:
            self._referrer = self.url
        url = f"https://{self.visitor.host}{path}"
        if self._query:
            url, self._query = f"{url}{'&' if '?' in path else '?'}{self._query}", ""
        self.url, self._title = url, f"{title} | Bitforge"
        self.act(name, **fields)

    def act(self, name: str, **fields: Any) -> None:
        """Do something on the open page."""
        if self.hits:
            self.now += timedelta(milliseconds=self.rng.randint(15, 400))
        event = {
            "event_id": uuid4(self.rng),
            "event_name": name,
            "event_timestamp": self.now,
            **self._envelope,
            "page_url": self.url,
            "page_title": self._title,
            **fields,
        }
        if self._referrer:
            event["referrer"] = self._referrer
        self.hits.append(Hit(self.now, event))

    def wait(self, typical_seconds: float = 25.0) -> None:
        """Let the visitor read. Few go away for so long that their session ends meanwhile."""
        away = self.rng.random() < 0.004
        seconds = self.rng.uniform(2_100, 4_800) if away else typical_seconds * self.rng.lognormvariate(0.0, 0.8)
        pause = timedelta(milliseconds=int(1_000 * seconds) + 400)
        self.now += pause
        if pause > IDLE:
            self._session_id = uuid4(self.rng)
            self._envelope = self._identity()

    def come_from(self, referrer: str) -> None:
        """Return from another site, such as a payment page: the next page has that site as its referrer."""
        self.url = referrer

    def sign_in(self) -> None:
        """Every event from here on knows the account."""
        self.visitor.signed_in = True
        self._envelope = self._identity()
        self.act("login", props={"method": "password"})

    def add(self, product: Product) -> None:
        """Put a product into the cart."""
        quantity = 1 if self.rng.random() < 0.92 else 2
        _, before = self.visitor.cart.get(product.id, (product, 0))
        self.visitor.cart[product.id] = (product, before + quantity)
        self.act("add_to_cart", product=product.payload, quantity=quantity)

    def remove(self, product: Product) -> None:
        """Take a product out of the cart."""
        _, quantity = self.visitor.cart.pop(product.id)
        self.act("remove_from_cart", product=product.payload, quantity=quantity)

    def buy(self) -> Event:
        """Order what is in the cart, and return the order."""
        currency = CURRENCIES[self.visitor.host]
        lines = [(product, quantity) for product, quantity in self.visitor.cart.values()]
        value = sum((product.paid * quantity for product, quantity in lines), Decimal(0))
        order_id = f"BF-{self.rng.getrandbits(48):012X}"
        items = [_item(product, quantity) for product, quantity in lines]
        order: Event = {"id": order_id, "value": value, "currency": currency, "items": items}
        self.visitor.cart = {}
        self.page(f"/checkout/thank-you?order={order_id}", "Thank you")
        self.act("purchase", order=order)
        self.orders.append(order)
        return order

    def close(self) -> Visit:
        """The visit is over."""
        self.visitor.visits += 1
        self.visitor.seen_until = self.now
        return Visit(self.visitor, self.hits, self.orders)

    def _identity(self) -> Event:
        visitor = self.visitor
        known = visitor.signed_in and visitor.account_id is not None
        envelope: Event = {
            "client_id": visitor.client_id,
            "session_id": self._session_id,
            "user_login_state": "logged_in" if known else "guest",
            "identity_source": "account" if known else "cookie",
            "is_first_visit": visitor.visits == 0,
            "device": visitor.device,
            "geo": visitor.geo,
            "currency": CURRENCIES[visitor.host],
            "tracker_version": TRACKER_VERSION,
        }
        return {**envelope, "user_id": visitor.account_id} if known else envelope


def _item(product: Product, quantity: int) -> Event:
    return {
        "product_id": product.id,
        "name": product.name,
        "category": product.category,
        "brand": product.brand,
        "price": product.paid,
        "quantity": quantity,
    }
