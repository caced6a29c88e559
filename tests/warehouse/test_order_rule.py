"""An order is what its events say together: however a shop splits, repeats and orders them, and whenever they arrive."""

from __future__ import annotations

import dataclasses
import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import obstore
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import create_database
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order, OrderItem
from support.stories import DAY
from support.tables import differences, dump, empty
from support.thorough import examples

HOURS = 3
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0"
SERVER = "WordPress/6.4; https://shop.example"
CENT = Decimal("0.01")


@st.composite
def carts(draw: st.DrawFn) -> Order:
    """What was bought: one to four lines, of which no two are equal, and what was paid where the shop says it."""
    lines = draw(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(0, 20_000), st.integers(1, 3)),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    items = [OrderItem(product_id=name, price=price * CENT, quantity=count) for name, price, count in lines]
    paid = draw(st.none() | st.integers(1, 50_000).map(lambda cents: cents * CENT))
    return Order(
        value=paid, items=items, tax=draw(st.none() | st.just(CENT)), coupon=draw(st.none() | st.just("SPRING"))
    )


def told(order: Order, name: str, way: str, rng: random.Random) -> list[Event]:
    """The purchase events by which a shop reports an order, in one of its ways."""
    if way == "whole":
        parts = [order]
    elif way == "bare first":
        parts = [Order(), order]
    elif way == "a line each" and any(line.price * line.quantity != order.value for line in order.items if line.price):
        # Else each event would say that its own line was paid, which is another order.
        parts = [replace(order, items=[line]) for line in order.items]
    else:
        parts = [order, order, replace(order, value=None)]
    events = [purchase(part, name, rng) for part in parts]
    events += [repeated(one, rng) for one in events if rng.random() < 0.4]
    if rng.random() < 0.4:
        events.append(replace(purchase(order, name, rng), client_id=None, user_id="shop", user_agent=SERVER))
    return events


def purchase(part: Order, name: str, rng: random.Random, kind: str = "purchase") -> Event:
    at = DAY + timedelta(minutes=rng.randrange(60 * HOURS - 10))
    received = at + timedelta(minutes=rng.choice((0, 0, 9)))
    order = replace(part, id=name)
    agent = (None, FIREFOX)[int(name[1:]) % 2]  # one browser for an order
    return Event(
        UUID(int=rng.getrandbits(128)), kind, at, received, client_id=f"c-{name}", user_agent=agent, order=order
    )


def repeated(event: Event, rng: random.Random) -> Event:
    """A reload: the same page, as another event."""
    return replace(event, event_id=UUID(int=rng.getrandbits(128)))


def refunds(order: Order, name: str, rng: random.Random) -> list[Event]:
    line = rng.choice(order.items)
    choices = [Order(), Order(value=rng.randrange(9_000) * CENT), Order(items=[OrderItem(product_id=line.product_id)])]
    return [purchase(rng.choice(choices), name, rng, "refund") for _ in range(rng.choice((0, 0, 1, 2)))]


def hour_of(event: Event) -> datetime:
    return event.received_at.replace(minute=0, second=0)


def load(stack: Stack, pieces: list[list[Event]]) -> dict[str, str]:
    """Load the pieces one after the other; all tables."""
    store = obstore.store.MemoryStore()
    with stack.warehouse() as connection:
        empty(connection)
        for number, piece in enumerate(pieces):
            hours = sorted({hour_of(event) for event in piece})
            for hour in hours:
                lines = [contract.encode(event) for event in piece if hour_of(event) == hour]
                obstore.put(store, landing.event_key(hour, UUID(int=number)), b"\n".join(lines))
            for hour in hours:
                load_hours(connection, store, hour, hour + HOUR)
            rebuild_all(connection)
        found = dump(connection)
    return {name: text for name, text in found.items() if name not in PLACES}


#: Where a line lay, and in how many objects. All other tables are about the events alone.
PLACES = ("raw_objects", "clickstream_events", "etl_ledger")


def rows(stack: Stack, query: str) -> list[Any]:
    with stack.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@pytest.fixture(scope="module")
def home(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    create_database(postgres, "order_rule")
    chosen = load_settings({"CLICKSTREAM_HOME": str(tmp_path_factory.mktemp("home"))})
    login = dataclasses.replace(postgres, database="order_rule")
    return Stack(dataclasses.replace(chosen, postgres=login))


WAYS = ("whole", "bare first", "a line each", "reloaded")


# Not made smaller: that takes minutes, and the orders are small.
@settings(max_examples=examples(12), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(orders=st.lists(st.tuples(carts(), st.sampled_from(WAYS)), min_size=3, max_size=9), seed=st.integers(0, 2**32))
def test_split_repeated_and_reordered_events_of_an_order_are_that_order(
    home: Stack, orders: list[tuple[Order, str]], seed: int
) -> None:
    rng = random.Random(seed)
    events = []
    for number, (order, way) in enumerate(orders):
        events += told(order, f"o{number}", way, rng) + refunds(order, f"o{number}", rng)
    expected = load(home, [events])
    found = {
        order: (revenue, adjustment, tax, coupon)
        for order, revenue, adjustment, tax, coupon in rows(
            home, "select order_id, revenue, adjustment, tax, coupon from fact_orders"
        )
    }
    items: dict[str, list[Any]] = {}
    for order, *line in rows(home, "select order_id, product_id, price, quantity from fact_order_items"):
        items.setdefault(order, []).append(tuple(line))
    for number, (order, _) in enumerate(orders):
        lines = sum(line.price * line.quantity for line in order.items if line.price is not None)
        paid = lines if order.value is None else order.value
        assert found[f"o{number}"] == (paid, paid - lines, order.tax, order.coupon)
        meant = [(line.product_id, line.price, line.quantity) for line in order.items]
        assert sorted(items[f"o{number}"]) == sorted(meant)
    assert rows(home, "select count(*) from fact_orders where refunded > revenue or refunded < 0") == [(0,)]
    assert (
        rows(
            home,
            """
            select o.order_id from fact_orders as o inner join fact_order_items as i using (order_id)
            group by o.order_id, o.refunded, o.revenue, o.adjustment
            having sum(i.refunded) <> least(o.refunded, o.revenue - o.adjustment) and sum(i.revenue) > 0
            """,
        )
        == []
    )
    rng.shuffle(events)
    cut = rng.randrange(len(events) + 1)
    assert differences(expected, load(home, [piece for piece in (events[:cut], events[cut:]) if piece])) == {}
