"""Carts, as a second opinion: one event after the other, as one would keep them on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from ingest_lambda.contract import Event

STEPS = (
    "add_to_cart",
    "remove_from_cart",
    "view_cart",
    "checkout",
    "add_shipping_info",
    "add_payment_info",
    "purchase",
)
DAY = timedelta(days=1)


@dataclass
class Cart:
    """One cart so far, of events that name one product each, in one currency. `left_*` is how it stood when a day had passed."""

    started_at: datetime
    last_add_at: datetime
    last_event_at: datetime
    held: dict[str, int] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    step: str = "add_to_cart"
    largest: Decimal = Decimal(0)
    left_at: datetime | None = None
    left_value: Decimal = Decimal(0)
    left_lines: dict[str, Decimal] = field(default_factory=dict)
    left_step: str = ""
    bought_at: datetime | None = None
    order: str | None = None
    emptied_at: datetime | None = None

    @property
    def value(self) -> Decimal:
        return sum((self.prices.get(name, Decimal(0)) * count for name, count in self.held.items()), Decimal(0))

    def leave(self) -> None:
        if not self.left_at:
            self.left_at, self.left_value, self.left_step = self.last_add_at, self.value, self.step
            self.left_lines = {name: n * self.prices.get(name, Decimal(0)) for name, n in self.held.items() if n}

    def take(self, event: Event) -> None:
        now, product = event.event_timestamp, event.product
        if now - self.last_add_at > DAY:
            self.leave()
        if product and product.id:
            before, pieces = self.held.get(product.id, 0), event.quantity or 1
            self.held[product.id] = max(0, before + (pieces if event.event_name == "add_to_cart" else -pieces))
            self.prices |= {product.id: product.price} if product.price is not None else {}
        if event.event_name == "add_to_cart":
            self.last_add_at = now
        elif event.event_name == "purchase":
            self.bought_at, self.order = now, event.order.id if event.order else None
        elif not any(self.held.values()):
            self.emptied_at = now
        elif event.event_name != "remove_from_cart":
            self.step = max(self.step, event.event_name, key=STEPS.index)
        self.largest, self.last_event_at = max(self.largest, self.value), now

    def state(self, now: datetime) -> str:
        """What it is at a time, with all that has happened until then."""
        if self.bought_at:
            return "recovered" if self.left_at and self.bought_at - self.left_at <= 7 * DAY else "bought"
        if self.emptied_at:
            return "emptied"
        if self.left_at or now - self.last_add_at >= DAY:
            return "abandoned"
        return "open" if now - self.last_event_at <= timedelta(minutes=30) else "idle"


def carts(events: Iterable[Event]) -> Iterator[Cart]:
    """The carts of one person."""
    cart: Cart | None = None
    bought: set[str] = set()
    for event in sorted(events, key=lambda e: (e.event_timestamp, STEPS.index(e.event_name), e.event_id)):
        order = event.order.id if event.order else None
        if order in bought:
            continue  # the thank-you page again
        now = event.event_timestamp
        if cart and now - cart.last_event_at > 30 * DAY:
            yield cart
            cart = None
        if not cart and event.event_name == "add_to_cart":
            cart = Cart(now, now, now)
        if cart:
            cart.take(event)
            if cart.bought_at or cart.emptied_at:
                yield cart
                cart = None
        bought |= {order} if order else set()
    if cart:
        yield cart
