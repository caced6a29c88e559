"""What one event, one object or one neighbour must not be able to do to everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

import obstore
import pytest

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.ledger import ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.rebuild import OutdatedProcess, rebuild, rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Device, Event, Geo, Order, OrderItem, Product
from support.tables import dump

START = datetime(2026, 4, 1, tzinfo=UTC)


def event(number: int, at: datetime = START, **fields: object) -> Event:
    base = Event(event_id=UUID(int=number), event_name="page_view", event_timestamp=at, received_at=at, client_id="ann")
    for name, value in fields.items():
        setattr(base, name, value)
    return base


def put(stack: Stack, *events: Event) -> None:
    for one in events:
        obstore.put(stack.store, landing.event_key(one.received_at, one.event_id), contract.encode(one))


def load(stack: Stack, start: datetime = START, hours: int = 1) -> None:
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, start, start + hours * HOUR)
        rebuild_all(connection)


def test_an_order_of_billions_of_pieces_stops_no_table(stack: Stack) -> None:
    items = [OrderItem(product_id="p", price=Decimal(1), quantity=1_000_000) for _ in range(500)]
    put(stack, *(event(n, event_name="purchase", order=Order(id=f"o{n}", items=items)) for n in range(6)))
    load(stack)
    with stack.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute("select sum(items), sum(revenue) from agg_daily_revenue")
        assert cursor.fetchall() == [(3_000_000_000, 3_000_000_000)]


def test_the_longest_texts_that_are_accepted_stop_no_table(stack: Stack) -> None:
    """An index row holds 2,704 bytes, and these do not compress."""

    def text(length: int) -> str:
        return "".join(chr(random.randrange(0x20000, 0x2A6DF)) for _ in range(length))

    random = Random(1)
    client, product, label = text(256), text(256), text(512)
    tags = "&".join(f"{name}={text(200)}" for name in ("utm_source", "utm_medium", "utm_campaign"))
    item = OrderItem(product_id=product, name=text(512), category=label, brand=label, price=Decimal(3))
    every = {
        "client_id": client,
        "user_id": text(256),
        "device": Device(type=label),
        "geo": Geo(country="VN", region=label, city=label),
        "page_url": f"https://shop.example/{text(3_400)}?{tags}",
        "referrer": f"https://{text(250)}.example/{text(3_000)}",
        "user_agent": text(512),
        "search_query": text(2_048),
        "experiment": text(128),
        "variant": text(128),
        "product": Product(id=product, name=label, category=label, brand=label, price=Decimal(3)),
    }
    names = ("page_view", "view_product", "search", "add_to_cart", "checkout", "purchase", "refund")
    order = Order(id=text(256), items=[item])
    put(stack, *(event(n, event_name=name, order=order, **every) for n, name in enumerate(names)))
    put(stack, event(98, event_name="search", **{**every, "search_query": text(2_048)}))
    put(stack, event(99, **{**every, "client_id": text(256), "user_id": text(256)}))  # who buys nothing
    load(stack)
    with stack.warehouse() as connection:
        tables = dump(connection)
    empty = {name for name, rows in tables.items() if not rows}
    assert empty == {"duplicate_events", "operational_metrics", "rejected_events", "shop_orders"}


def test_an_hour_that_does_not_balance_is_written_and_seen(stack: Stack) -> None:
    put(stack, event(1), event(2))
    load(stack)
    with stack.warehouse() as connection:
        with transaction(connection) as cursor:
            cursor.execute("delete from clickstream_events where event_id = %s", (str(UUID(int=1)),))
        load_hours(connection, stack.store, START, START + HOUR)
        rebuild_all(connection)
        assert [hour.difference for hour in ledger(connection)] == [1]


def test_an_object_that_is_written_again_with_a_line_more_loses_none(stack: Stack) -> None:
    key = "events/2026/04/01/00/old.json"
    ann, bob = (b'{"eventName":"click","sessionId":"%s"}' % name for name in (b"ann", b"bob"))
    for body in (ann, bob + b"\n" + ann):
        obstore.put(stack.store, key, body)
        load(stack)
    with stack.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute("select session_id, count(*) from clickstream_events group by 1 order by 1")
        assert cursor.fetchall() == [("ann", 1), ("bob", 1)]
        assert [hour.difference for hour in ledger(connection)] == [0]


def test_a_session_that_never_ends_moves_only_the_days_that_change(stack: Stack) -> None:
    put(stack, *(event(n, START + n * timedelta(minutes=29)) for n in range(200)))
    load(stack, hours=96)
    last = START + 200 * timedelta(minutes=29)
    put(stack, event(999, last))
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, last.replace(minute=0), last.replace(minute=0) + HOUR)
        rebuild(connection, all_models()["fact_sessions"])
        rebuild(connection, all_models()["fact_visitor_days"])
        with transaction(connection) as cursor:
            cursor.execute("select keys from model_runs where model = 'agg_daily_traffic'")
            assert cursor.fetchall() == [(1,)]


def test_a_process_of_an_older_version_rebuilds_nothing(stack: Stack) -> None:
    put(stack, event(1))
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START, START + HOUR)
        older = replace(all_models()["fact_sessions"], sql="select 1 as older")
        with pytest.raises(OutdatedProcess, match="Restart it"):
            rebuild(connection, older)
        rebuild_all(connection)
        assert dump(connection)["fact_sessions"]


def test_a_table_of_somebody_else_does_not_stop_the_start(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack()
    with stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("create table their_notes (secret text)")
    again = Stack(stack.settings)
    with again.warehouse(), again.reading() as reader, reader.cursor() as cursor:
        cursor.execute(
            "select has_table_privilege('their_notes', 'select'), has_table_privilege('fact_orders', 'select')"
        )
        assert cursor.fetchall() == [(False, True)]


def test_a_view_of_another_version_can_still_be_read(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack()
    with stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("update model_versions set sql_hash = 'older' where model = 'fact_events'")
    with Stack(stack.settings).reading() as reader, reader.cursor() as cursor:
        cursor.execute("select count(*) from fact_events")
        assert cursor.fetchall() == [(0,)]
