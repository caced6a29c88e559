"""Hypothesis strategies for what can happen to a shop's events on their way: late, twice, changed, in any order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, EventWarning, Order, OrderItem, Product, Rejection

MIDNIGHT = datetime(2026, 3, 29, tzinfo=UTC)  # the night when Europe's clocks go forward
START = MIDNIGHT - timedelta(hours=3)
HOURS = 8
VISITORS = ("ann", "bob", "cleo")
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0"
SERVER = "WordPress/6.4; https://shop.example"
PAGES = (
    "https://shop.example/",
    "https://shop.example/p/1?utm_source=news&utm_medium=email",
    "https://shop.example/search?q=x",
    "https://shop.example/p/2?gclid=abc",
    "https://kasse.example/pay",
    None,
)
CANARY = "clickstream-canary-00000000-0000-4000-8000-000000000000"
#: One that may turn out to be the shop itself, and one that does not.
REFERRERS = (None, None, "https://kasse.example/pay", "https://blog.example/")
CATEGORIES = (None, "Mice", "Boards")
SEARCHES = (None, "Mouse", " mouse\u00a0", "board", " ")
NAMES = (
    *("page_view", "view_product", "add_to_cart", "checkout", "purchase", "refund", "search", "click"),
    *("view_item_list", "select_item", "remove_from_cart", "add_payment_info"),
)
#: Events that may be about several products.
LISTING = ("view_item_list", "select_item", "add_to_cart", "remove_from_cart", "search")


@dataclass(frozen=True)
class RawFile:
    """One raw object before it is stored."""

    key: str
    data: bytes
    hour: datetime


@st.composite
def events(draw: st.DrawFn, number: int) -> Event:
    """What may happen, under the id `number`."""
    name = draw(st.sampled_from(NAMES))
    # Multiples of 10 minutes make gaps of exactly 30 minutes, and equal times, common.
    happened = START + timedelta(minutes=10 * draw(st.integers(0, 6 * 4)), seconds=draw(st.sampled_from([0, 0, 1, 59])))
    delay = timedelta(minutes=draw(st.sampled_from([0, 0, 0, 1, 59, 130])))
    price = Decimal(draw(st.integers(0, 30_000))) / 100
    order = None
    if name in ("purchase", "refund"):
        value = None if draw(st.booleans()) else price
        tax = draw(st.sampled_from([None, None, Decimal("1.90")]))
        order = Order(id=draw(st.sampled_from([None, "o1", "o2"])), value=value, tax=tax, items=_lines(draw, price))
    items = _lines(draw, price) if name in LISTING else []
    product = None
    if name in ("view_product", "add_to_cart", "remove_from_cart", "purchase"):
        product = Product(
            id=draw(st.sampled_from(["p1", "p2", "p3"])),
            price=price,
            name=draw(st.sampled_from([None, "Mouse", "Board"])),
            category=draw(st.sampled_from(CATEGORIES)),
        )
    is_search = name == "search"
    experiment = draw(st.sampled_from([None, None, "x", "y"]))
    return Event(
        event_id=UUID(int=number),
        event_name=name,
        event_timestamp=happened,
        received_at=min(happened + delay, START + timedelta(hours=HOURS) - timedelta(seconds=1)),
        client_id=draw(st.sampled_from(VISITORS)),
        user_id=draw(st.sampled_from([None, None, "u1"])),
        page_url=draw(st.sampled_from(PAGES)),
        referrer=draw(st.sampled_from(REFERRERS)),
        user_agent=draw(st.sampled_from([None, None, FIREFOX, SERVER, "Googlebot/2.1"])),
        currency=draw(st.sampled_from([None, "EUR"])),
        product=product,
        order=order,
        search_query=draw(st.sampled_from(SEARCHES)) if is_search else None,
        props={"results": draw(st.integers(0, 1))} if is_search else None,
        items=items,
        experiment=experiment,
        variant=draw(st.sampled_from(["a", "b", "c"])) if experiment else None,
        warnings=draw(st.sampled_from([[], [], [EventWarning("invalid_currency", "currency")]])),
    )


def _lines(draw: st.DrawFn, price: Decimal) -> list[OrderItem]:
    """None to three lines, of which some are equal and some have no price."""
    lines = st.builds(
        OrderItem,
        product_id=st.sampled_from(["p1", "p2", None]),
        name=st.sampled_from([None, "Mouse"]),
        category=st.sampled_from(CATEGORIES),
        price=st.sampled_from([price, Decimal(5), None]),
        quantity=st.integers(1, 2),
    )
    return draw(st.lists(lines, max_size=3))


@st.composite
def _copies(draw: st.DrawFn, event: Event) -> list[Event]:
    """The event, and now and then the same id again: sent again, or saying something else, at another time."""
    from msgspec.structs import replace

    copies = [event]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        moved = timedelta(minutes=draw(st.sampled_from([-70, -1, 0, 1, 61, 200])))
        received = min(max(START, event.received_at + moved), START + timedelta(hours=HOURS) - timedelta(seconds=1))
        copy = replace(event, received_at=received)
        if draw(st.booleans()):
            happened = START + timedelta(minutes=10 * draw(st.integers(0, 24)))
            copy = replace(
                copy,
                client_id=draw(st.sampled_from(VISITORS)),
                event_timestamp=happened,
                event_name=draw(st.sampled_from(NAMES)),
                page_url=draw(st.sampled_from(PAGES)),
                experiment="x",
                variant=draw(st.sampled_from(["a", "b"])),
            )
        copies.append(copy)
    return copies


@st.composite
def raw_files(draw: st.DrawFn) -> list[RawFile]:
    """A history as the objects it was stored in, some of them with lines that are no events, or of test visits."""
    from msgspec.structs import replace

    count = draw(st.integers(1, 14))
    told = [copy for number in range(count) for copy in draw(_copies(draw(events(number))))]
    lines: dict[tuple[datetime, int], list[bytes]] = {}
    for event in told:
        hour = event.received_at.replace(minute=0, second=0, microsecond=0)
        lines.setdefault((hour, draw(st.integers(0, 1))), []).append(contract.encode(event))
    for held in lines.values():
        if draw(st.sampled_from([True, False, False, False])):
            held.append(b'{"event_name": "page_view"}')
        if draw(st.sampled_from([True, False, False, False])):
            # Of a test visit, or of somebody who makes one up and knows the id of an event.
            held.insert(0, contract.encode(replace(draw(st.sampled_from(told)), client_id=CANARY)))
    files = [
        RawFile(landing.event_key(hour, UUID(int=part)), b"\n".join(held), hour) for (hour, part), held in lines.items()
    ]
    if draw(st.booleans()):
        refused = Rejection("invalid_price", "said so", START, 0, json.dumps({"price": "12,50"}))
        files.append(RawFile(landing.rejected_key(START, UUID(int=9)), contract.encode(refused), START))
    return files
