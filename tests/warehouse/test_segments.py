"""The marts by segment add up to those without, refunds are spread to the cent, and each run is written down once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import obstore
import pytest

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.ledger import freshness
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Device, Event, Geo, Order, OrderItem, Product

START = datetime(2026, 4, 1, tzinfo=UTC)
VISITORS = {
    "ann": {"device": Device(type="mobile"), "geo": Geo(country="VN")},
    "bob": {"device": Device(type="desktop"), "page_url": "https://shop.example/?utm_source=news&utm_medium=email"},
    "cleo": {"device": Device(type="(none)")},
    "dan": {},
    "bot": {"user_agent": "Googlebot/2.1", "geo": Geo(country="VN")},
}


def load(stack: Stack, *events: Event, hours: int = 3) -> None:
    for one in events:
        obstore.put(stack.store, landing.event_key(one.received_at, one.event_id), contract.encode(one))
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START, START + hours * HOUR)
        rebuild_all(connection)


def ask(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    with stack.reading() as reader, transaction(reader) as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def event(number: int, name: str, seconds: float, visitor: str = "ann", **fields: Any) -> Event:
    at = START + timedelta(seconds=seconds)
    base = Event(event_id=UUID(int=number), event_name=name, event_timestamp=at, received_at=at, client_id=visitor)
    for field, value in fields.items():
        setattr(base, field, value)
    return base


def item(product: str | None, price: str | None = None, quantity: int = 1) -> OrderItem:
    return OrderItem(product_id=product, price=None if price is None else Decimal(price), quantity=quantity)


def shop() -> list[Event]:
    """Every visitor goes through the funnel, not all of them to its end, once in each of two hours."""
    made: list[Event] = []
    for place, (visitor, fields) in enumerate(VISITORS.items()):
        for visit in range(2):
            steps = ("page_view", "view_product", "add_to_cart", "checkout", "purchase")[: 5 - place % 3]
            for number, name in enumerate(steps):
                one = event(len(made), name, visit * 3600 + place * 60 + number * 7, visitor, **fields)
                one.currency = "EUR" if (place + number) % 2 else None
                one.product = Product(id=f"p{number % 2}", name="Mouse", price=Decimal("9.99"))
                if name == "purchase":
                    one.order = Order(id=f"{visitor}{visit}", items=[item("p1", "3.33", 3), item("p2", "5")])
                made.append(one)
    back = event(900, "refund", 7_300, "ann", order=Order(id="ann0", value=Decimal("1.01"), currency="EUR"))
    return [*made, back, event(901, "refund", 7_301, "bob", order=Order(id="bot1"))]


#: Table by segment, the table without, the columns that add up, and the key of both.
SUMS = {
    "agg_hourly_traffic": ("agg_daily_traffic", "sessions, page_views, events, orders", "local_date, is_bot"),
    "agg_daily_acquisition": (
        "agg_daily_traffic",
        "sessions, new_visitors, bounces, engaged_sessions, page_views, events, duration_seconds, sessions_with_purchase, "
        "orders",
        "local_date, is_bot",
    ),
    "agg_daily_product_segments": (
        "agg_daily_products",
        "views, viewed_sessions, added_sessions, added_unviewed_sessions, orders, units, revenue, refunded",
        "local_date, product_id, currency, is_bot",
    ),
    "agg_daily_revenue": ("fact_orders", "revenue, refunded", "local_date, currency, is_bot"),
    "agg_daily_products": ("fact_order_items", "revenue, refunded", "product_id, currency, is_bot"),
}


@pytest.mark.parametrize("segmented", SUMS)
def test_the_sums_over_segments_are_the_table_without(stack: Stack, segmented: str) -> None:
    load(stack, *shop())
    whole, columns, key = SUMS[segmented]
    sums = ", ".join(f"sum({column})" for column in columns.split(", "))
    one, other = (f"select {key}, {sums} from {table} group by {key}" for table in (segmented, whole))
    if whole == "fact_order_items":
        one += " having sum(units) > 0"
    assert ask(stack, f"({one}) except ({other})") == ask(stack, f"({other}) except ({one})") == []
    assert ask(stack, one)


def test_the_funnel_by_segment_adds_up_to_the_sessions_that_got_so_far(stack: Stack) -> None:
    load(stack, *shop())
    found = ask(stack, "select step, is_bot, sum(sessions)::int from agg_daily_funnel group by 1, 2 order by 1, 2")
    counted = ask(
        stack,
        "select step, is_bot, count(*) filter (where funnel_step >= step)::int from fact_sessions, "
        "generate_series(1, 4) as step group by 1, 2 order by 1, 2",
    )
    assert found == counted
    assert ask(stack, "select distinct device_type from agg_daily_funnel order by 1") == [
        ("(none)",),
        ("desktop",),
        ("mobile",),
    ]


def purchase(*items: OrderItem, value: str | None = None) -> Event:
    return event(1, "purchase", 0, order=Order(id="o", items=list(items), value=value and Decimal(value)))


def refund(*items: OrderItem, value: str | None = None, **fields: Any) -> Event:
    return event(2, "refund", 60, order=Order(id="o", items=list(items), value=value and Decimal(value)), **fields)


TWO = (item("a", "10"), item("b", "30", 3))
REFUNDS = {
    "without an amount: all of it": (TWO, [refund()], ["10", "90"]),
    "one item": (TWO, [refund(item("b", "30"))], ["0", "30"]),
    "one item, its price not said": (TWO, [refund(item("b"), value="25")], ["0", "25"]),
    "one item, by the event's own product": (
        TWO,
        [refund(value="8", product=Product(id="a", price=Decimal(8)))],
        ["8", "0"],
    ),
    "an amount without items: by revenue": (TWO, [refund(value="5")], ["0.50", "4.50"]),
    "one item, and later the rest": (
        TWO,
        [refund(item("a", "10")), event(3, "refund", 90, order=Order(id="o"))],
        ["10", "90"],
    ),
    "an item that was not bought: by revenue": (TWO, [refund(item("z", "20"))], ["2", "18"]),
    "more than the item was worth: the rest on the others": (TWO, [refund(item("a", "50"))], ["10", "40"]),
    "in another currency": (TWO, [refund(value="5", currency="EUR")], ["0", "0"]),
    "a sum that does not divide": ((item("a", "1"),) * 3, [refund(value="1")], ["0.33", "0.34", "0.33"]),
    "less than a cent": ((item("a", "1"),) * 3, [refund(value="0.005")], ["0", "0", "0.005"]),
    "two lines of one product": (
        (item("a", "5"), item("a", "15"), item("b", "80")),
        [refund(item("a", "20"), item("b", "80"))],
        ["5", "15", "80"],
    ),
    "a gift last": ((item("a", "1"), item("b", "2"), item("c", "0")), [refund(value="1")], ["0.33", "0.67", "0"]),
    "no prices at all: nothing to go by": ((item("a"), item("b")), [refund(value="5")], ["0", "0"]),
    "no prices in the order, one in the refund": ((item("a"), item("b")), [refund(item("b", "5"))], ["0", "5"]),
}


@pytest.mark.parametrize("case", REFUNDS)
def test_a_refund_is_spread_over_the_items_to_the_last_cent(stack: Stack, case: str) -> None:
    items, refunds, expected = REFUNDS[case]
    load(stack, purchase(*items, value="100"), *refunds)
    found = [share for (share,) in ask(stack, "select refunded from fact_order_items order by item_number")]
    assert found == [Decimal(share) for share in expected]
    [(whole,)] = ask(stack, "select refunded from fact_orders")
    assert sum(found) == (0 if "no prices at all" in case else whole)
    assert ask(stack, "select sum(refunded) from agg_daily_products") == [(sum(found),)]


def test_a_refund_that_comes_days_later_reaches_the_products_of_its_order_s_date(stack: Stack) -> None:
    load(stack, purchase(*TWO))
    late = event(2, "refund", 3 * 86_400, order=Order(id="o", items=[TWO[0]]))
    load(stack, late, hours=73)
    query = "select local_date::text, product_id, refunded from agg_daily_product_segments order by 2"
    assert ask(stack, query) == [("2026-04-01", "a", 10), ("2026-04-01", "b", 0)]


FUNNEL = ("view_product", "add_to_cart", "checkout", "purchase")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (FUNNEL, (4, 21)),
        (FUNNEL[:3], (3, None)),
        (("page_view", *FUNNEL), (4, 21)),
        (("view_product", *FUNNEL), (4, 29)),
        ((*FUNNEL, "purchase"), (4, 21)),
        (FUNNEL[::-1], (1, None)),
        (("page_view",), (0, None)),
    ],
)
def test_the_time_through_the_funnel_is_from_the_first_step_to_the_last(
    stack: Stack, names: tuple[str, ...], expected: tuple[int, int | None]
) -> None:
    load(stack, *(event(number, name, number * 7.3) for number, name in enumerate(names)))
    assert ask(stack, "select funnel_step, funnel_seconds from fact_sessions") == [expected]


def test_the_freshness_is_one_row_and_the_one_that_the_status_shows(stack: Stack) -> None:
    assert ask(stack, "select complete_to from data_freshness") == [(None,)]
    load(stack, event(1, "page_view", 0), hours=2)
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START + 3 * HOUR, START + 4 * HOUR)
        assert [(freshness(connection),)] == ask(stack, "select complete_to from data_freshness")
        assert freshness(connection) == START + 2 * HOUR


def test_what_each_run_did_is_written_and_nothing_when_nothing_is_owed(stack: Stack) -> None:
    runs = "select model, keys, removed, added, finished_at from model_runs order by model"
    load(stack, *shop())
    first = ask(stack, runs)
    [(events,)] = ask(stack, "select count(*)::int from clickstream_events")
    assert {row[0]: row[1:4] for row in first}["clickstream_events"] == (events, 0, events)
    assert {row[0]: row[1:4] for row in first}["dim_visitor"] == (len(VISITORS), 0, len(VISITORS))
    with stack.warehouse() as connection:
        rebuild_all(connection)
    assert ask(stack, runs) == first
    load(stack)
    # The hours are listed again, so their books are written again; there is nothing else to write.
    changed = {row[0] for row in set(ask(stack, runs)) ^ set(first)}
    assert changed == {"etl_ledger"}
    assert ask(stack, "select (select count(*) from changed_keys) + (select count(*) from changed_spans)") == [(0,)]
