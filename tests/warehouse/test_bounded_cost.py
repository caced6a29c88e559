"""What an hour costs is what it brings: no client can make one read what others have sent before.

Rows of `clickstream_events` that an hour reads are counted by PostgreSQL itself, since seconds tell of the machine, and compared
with those of a history that is as long and has nothing in common with the hour.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import obstore
import pytest

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.settings import ORDER_EVENTS_LIMIT
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order, OrderItem, Product
from support.stories import rows
from support.tables import unequal_sums

START = datetime(2026, 4, 1, tzinfo=UTC)
HOT = 3_000


def event(number: int, at: datetime, name: str = "page_view", visitor: str = "", **more: object) -> Event:
    return Event(
        event_id=UUID(int=number),
        event_name=name,
        event_timestamp=at,
        received_at=max(at, START),
        client_id=visitor or f"v{number}",
        page_url=f"https://shop.example/{number % 7}",
        **more,  # type: ignore[arg-type]
    )


def purchase(number: int, at: datetime, order_id: str = "0") -> Event:
    """Of one order, which each visitor has another time; the ids ascend while the times descend."""
    item = OrderItem(product_id="p", price=Decimal(1))
    return event(number, at, "purchase", order=Order(id=order_id, items=[item]))


def put(stack: Stack, hour: datetime, *events: Event) -> None:
    key = landing.event_key(hour, events[0].event_id)
    obstore.put(stack.store, key, b"\n".join(map(contract.encode, events)))


def load(stack: Stack, hour: datetime) -> int:
    """Load an hour and rebuild; the rows of `clickstream_events` that this has read."""
    before = _read(stack)
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, hour, hour + HOUR)
        rebuild_all(connection)
        assert unequal_sums(connection) == {}
        connection.cursor().execute("select pg_stat_force_next_flush()")
        connection.commit()
    return _read(stack) - before


def _read(stack: Stack) -> int:
    query = "select coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint from pg_stat_user_tables where relname = %s"
    [(count,)] = rows(stack, query, "clickstream_events")
    return int(count)


def later(hours: int) -> datetime:
    return START + hours * HOUR


#: So often are the first purchases of an order read: before and after the merge, for the sessions of both, and for the order.
LOOKS = 8


@pytest.fixture
def cold(make_stack: Callable[..., Stack]) -> int:
    """What an hour of one purchase reads after as many purchases of other orders and products."""
    stack = make_stack()
    put(stack, START, *(purchase(n, START + timedelta(seconds=3_000 - n), f"o{n}") for n in range(1, HOT)))
    load(stack, START)
    put(stack, later(1), purchase(HOT + 1, later(1), "new"))
    return load(stack, later(1))


def test_one_more_purchase_of_a_hot_order_costs_one_purchase(stack: Stack, cold: int) -> None:
    put(stack, START, *(purchase(n, START + timedelta(seconds=3_000 - n)) for n in range(1, HOT)))
    load(stack, START)
    put(stack, later(1), purchase(HOT + 1, later(1)))
    assert load(stack, later(1)) < cold + LOOKS * ORDER_EVENTS_LIMIT
    assert rows(stack, "select order_id, revenue, is_id_overused from fact_orders") == [("0", 1, True)]
    assert rows(stack, "select sum(order_count) from fact_sessions") == [(1,)]


def test_a_purchase_that_comes_before_all_others_moves_the_order_and_nothing_else(stack: Stack, cold: int) -> None:
    put(stack, START, *(purchase(n, START + timedelta(seconds=3_000 - n)) for n in range(1, HOT)))
    load(stack, START)
    first = purchase(HOT + 1, START - HOUR)
    put(stack, later(1), first)
    assert load(stack, later(1)) < cold + LOOKS * ORDER_EVENTS_LIMIT
    assert rows(stack, "select event_id::text from fact_orders") == [(str(first.event_id),)]
    assert rows(stack, "select visitor_id from fact_sessions where order_count > 0") == [(first.client_id,)]


def test_refunds_of_one_order_are_added_up_to_a_limit_in_any_order(stack: Stack) -> None:
    order = Order(id="0", items=[OrderItem(product_id="p", price=Decimal(1_000))])
    back = Order(id="0", value=Decimal(1))
    put(stack, START, event(1, START, "purchase", order=order))
    refunds = [
        event(1 + n, START + timedelta(minutes=n), "refund", order=back) for n in range(1, 2 * ORDER_EVENTS_LIMIT)
    ]
    put(stack, later(1), *reversed(refunds))
    load(stack, START)
    load(stack, later(1))
    assert rows(stack, "select refunded, is_id_overused from fact_orders") == [(ORDER_EVENTS_LIMIT, True)]
    assert rows(stack, "select sum(refunded) from fact_order_items") == [(ORDER_EVENTS_LIMIT,)]


def test_lines_of_one_order_are_read_up_to_a_limit_in_any_order(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream_dagster.warehouse.shop_settings.ORDER_LINES_LIMIT", 5)
    lines = [[OrderItem(product_id=f"p{number}{n}", price=Decimal(1)) for n in range(3)] for number in range(4)]
    events = [
        event(number + 1, START + timedelta(minutes=number), "purchase", "ann", order=Order(id="0", items=some))
        for number, some in enumerate(lines)
    ]
    put(stack, later(1), *reversed(events))
    load(stack, later(1))
    assert rows(stack, "select revenue, is_id_overused from fact_orders") == [(6, True)]
    assert rows(stack, "select count(*) from fact_order_items") == [(6,)]


def test_old_dates_cost_their_events_and_not_their_days(make_stack: Callable[..., Stack]) -> None:
    """A history of ten events on each of 300 days; then one request of 300 events, all of one day or one of each."""
    read = {}
    for days in (1, 300):
        stack = make_stack()
        put(stack, START, *(event(n, START - timedelta(days=n % 300, hours=1, seconds=n)) for n in range(1, HOT)))
        load(stack, START)
        put(stack, later(1), *(event(HOT + n, START - timedelta(days=n * days // 300, hours=2)) for n in range(300)))
        read[days] = load(stack, later(1))
        assert rows(stack, "select count(*) from changed_keys") == [(0,)]
    assert read[300] < 1.2 * read[1]


def test_a_hot_product_costs_what_is_said_of_it_now(stack: Stack, cold: int) -> None:
    product = Product(id="undefined", name="Thing")
    seen = [event(n, START + timedelta(seconds=n % 3_000), "view_product", product=product) for n in range(1, HOT)]
    put(stack, START, *seen)
    load(stack, START)
    put(stack, later(1), event(HOT + 1, later(1), "view_product", product=product))
    assert load(stack, later(1)) < cold + 100


def test_a_visitor_s_cart_events_are_read_up_to_a_limit(
    stack: Stack, cold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clickstream_dagster.warehouse.shop_settings.CART_LINES_LIMIT", 50)
    put(stack, START, *(event(n, START + timedelta(seconds=n % 3_000), "view_cart", "ann") for n in range(1, HOT)))
    load(stack, START)
    put(stack, later(1), event(HOT + 1, later(1) + timedelta(minutes=45), "add_to_cart", "ann"))
    assert load(stack, later(1)) < cold + 3 * 50
    assert rows(stack, "select count(*), bool_and(is_limit_reached) from fact_cart_events") == [(50, True)]
    assert rows(stack, "select count(*) from fact_carts") == [(0,)]


def test_carts_are_told_up_to_a_limit_in_any_order(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickstream_dagster.warehouse.shop_settings.CART_LINES_LIMIT", 5)
    lines = [OrderItem(product_id=f"p{n}", price=Decimal(1)) for n in range(2)]
    adds = [
        event(n, START + timedelta(minutes=n), "add_to_cart", f"browser {n % 2}", user_id="u", items=lines)
        for n in range(1, 7)
    ]
    for hour, part in enumerate((adds[3:], adds[:3])):
        put(stack, later(hour), *part)
        load(stack, later(hour))
    assert rows(stack, "select pieces, is_limit_reached from fact_carts") == [(5, True)]
