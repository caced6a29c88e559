"""A rebuild writes the rows that differ, and owes its readers no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.models import Model, all_models
from clickstream_dagster.warehouse.rebuild import Rebuilt, rebuild
from ingest_lambda.contract import Device, Order, OrderItem, Product
from support.stories import RECEIVED, event, rows, tell

KEYED = [model for model in all_models().values() if model.materialized == "keys"]


def product(product_id: str) -> Product:
    return Product(id=product_id, name="Mouse", price=Decimal("1.0"), category="Mice")


def order(product_id: str) -> Order:
    return Order(id="o1", items=[OrderItem(product_id=product_id, price=Decimal("9.5"))])


@pytest.fixture
def shop(stack: Stack) -> Stack:
    """Something in every table."""
    tell(
        stack,
        event("1 10:00", "search", search_query="mouse"),
        event("1 10:00:30", "search", search_query="mice"),
        event("1 10:01", "view_product", path="/p/1", product=product("p1")),
        event("1 10:02", "view_product", path="/p/2", product=product("p2")),
        event("1 10:02:30", "add_to_cart", product=product("p2")),
        event("1 10:03", "purchase", product=product("p1"), order=order("p1")),
        event("2 10:00", "page_view", visitor="bob", path="/", experiment="button", variant="red"),
    )
    return stack


def pay(stack: Stack, model: Model) -> Rebuilt:
    """Owe the model all of its keys, and rebuild it."""
    with stack.warehouse() as connection:
        with transaction(connection) as cursor:
            changes.owe_all(cursor, model)
        return rebuild(connection, model)


def write(stack: Stack, statement: str, *arguments: object) -> None:
    with stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute(statement, arguments or None)


def owed(stack: Stack) -> list[tuple[Any, ...]]:
    return rows(stack, "select model, key from changed_keys union all select visitor_id, 'spans' from changed_spans")


@pytest.mark.parametrize("model", KEYED, ids=lambda model: model.name)
def test_rows_that_do_not_change_are_not_written_and_owe_nobody(shop: Stack, model: Model) -> None:
    where = f"select ctid::text, xmin::text, t::text from {model.name} as t order by ctid"
    before = rows(shop, where)
    done = pay(shop, model)
    assert done.keys > 0
    assert (done.removed, done.added) == (0, 0)
    assert before == rows(shop, where) != []
    assert owed(shop) == []


def test_another_scale_of_a_number_is_another_row(shop: Stack) -> None:
    prices = "select product_id, price::text from fact_session_products order by product_id"
    assert rows(shop, prices) == [("p1", "1.0"), ("p2", "1.0")]
    write(shop, "update fact_session_products set price = 1.00 where product_id = 'p2'")
    done = pay(shop, all_models()["fact_session_products"])
    assert (done.removed, done.added) == (1, 1)
    assert rows(shop, prices) == [("p1", "1.0"), ("p2", "1.0")]
    assert {model for model, _ in owed(shop)} == {"dim_product", "fact_session_baskets"}


def test_a_table_without_a_key_holds_as_many_equal_rows_as_its_sql_gives(shop: Stack) -> None:
    once = all_models()["fact_session_pages"]
    thrice = replace(once, sql=f"select fresh.* from ({once.sql}) as fresh cross join generate_series(1, 3)")
    count = "select count(*), count(distinct t::text) from fact_session_pages as t"
    assert rows(shop, count) == [(3, 3)]
    for model, moved, expected in ((thrice, (0, 6), 9), (thrice, (0, 0), 9), (once, (6, 0), 3), (once, (0, 0), 3)):
        write(shop, "update model_versions set sql_hash = %s where model = %s", model.sql_hash, model.name)
        done = pay(shop, model)
        assert (done.removed, done.added) == moved
        assert rows(shop, count) == [(expected, 3)]


def test_rows_that_do_not_change_are_still_tested(shop: Stack) -> None:
    """All rows of the keys, as they would stand: a test may look at more than its own row."""
    model = all_models()["fact_orders"]
    done = pay(shop, model)
    assert {audit.kind for audit in done.audits} >= {"not_null", "unique"}
    strict = replace(
        model,
        columns=tuple(
            replace(column, tests=(("accepted_values", {"values": ["XXX"]}),)) if column.name == "currency" else column
            for column in model.columns
        ),
    )
    with pytest.raises(Exception, match=r"accepted_values\(currency\): 1 rows"):
        pay(shop, strict)


def test_the_items_of_an_order_follow_an_event_that_leaves_its_amounts_as_they_were(shop: Stack) -> None:
    bought = event("3 10:00", "purchase", order=msgspec.structs.replace(order("p1"), id="o2"))
    earlier = msgspec.structs.replace(
        bought,
        order=msgspec.structs.replace(order("p2"), id="o2"),
        received_at=RECEIVED - timedelta(minutes=1),
    )
    items = "select product_id from fact_order_items where order_id = 'o2'"
    tell(shop, bought)
    before = rows(shop, "select order_id, event_id, revenue, refunded from fact_orders")
    assert rows(shop, items) == [("p1",)]
    tell(shop, earlier)
    assert before == rows(shop, "select order_id, event_id, revenue, refunded from fact_orders")
    assert rows(shop, items) == [("p2",)]


def test_the_date_of_an_order_follows_its_session_of_the_day_before(stack: Stack) -> None:
    tell(stack, event("1 23:40"), event("2 00:05", "purchase", product=product("p1"), order=order("p1")))
    tell(stack, event("1 23:55", "search", search_query="mouse", device=Device(type="mobile")))
    for table in ("agg_daily_revenue", "agg_daily_product_segments"):
        assert rows(stack, f"select device_type from {table} where orders > 0") == [("mobile",)]
    assert rows(stack, "select term, orders from agg_daily_search where orders > 0") == [("mouse", 1)]
