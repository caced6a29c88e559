"""The worked examples of `carts.md`, through the tables; and what an example of one product a line cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.migrate import migrate
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda.contract import Event, Order, OrderItem, Product
from support.stories import DAY, at, event, load, rows, tell
from support.tables import differences, dump, unequal_sums

_HAPPENED = re.compile(r"(\d+ \d\d:\d\d) +(\w+)(?: as (\S+))? +(\w+)(?: (\w+))?(?: ([\d.]+))?(?: x ([\d.]+))?$")


@dataclass
class Case:
    title: str
    as_of: str = ""
    story: list[Event] = field(default_factory=list)
    carts: list[str] = field(default_factory=list)


def cases() -> Iterator[Case]:
    text = Path(__file__).with_name("carts.md").read_text()
    for part in text.split("\n## ")[1:]:
        title, *lines = part.splitlines()
        case = Case(title)
        for line in lines:
            if line.startswith("As of"):
                case.as_of = line.removeprefix("As of ").rstrip(".")
            elif line.startswith("    ") and "|" in line:
                case.carts.append(re.sub(" +", " ", line.strip()))
            elif line.startswith("    "):
                case.story.append(_event(line.strip()))
        yield case


def _event(line: str) -> Event:
    found = _HAPPENED.fullmatch(line)
    assert found, line
    when, browser, user, what, thing, number, price = found.groups()
    more: dict[str, Any] = {"visitor": browser, "user_id": user}
    if what in ("buy", "refund"):
        more["order"] = Order(id=thing, value=Decimal(number))
        return event(when, "purchase" if what == "buy" else "refund", **more)
    if what in ("add", "remove"):
        more["product"] = Product(id=thing, price=Decimal(price) if price else None)
        return event(when, {"add": "add_to_cart", "remove": "remove_from_cart"}[what], quantity=int(number), **more)
    return event(when, what, **more)


def _moment(moment: datetime) -> str:
    return f"{(moment - DAY).days + 1} {moment:%H:%M}"


def found(stack: Stack) -> list[str]:
    """The carts as `carts.md` writes them."""
    query = """
        select carts.state, carts.value, fact_carts.value, pieces, largest_value, fact_carts.deepest_step, left_at, revenue
        from fact_carts inner join carts using (cart_key)
        order by fact_carts.visitor_id, fact_carts.started_at
        """
    return [
        f"{state} {value} | value {then}, {pieces} pieces, most {most} | {step} | "
        f"{f'left {_moment(left)}' if left else 'not left'} | {paid or 'not bought'}"
        for state, value, then, pieces, most, step, left, paid in rows(stack, query)
    ]


def look_at(stack: Stack, moment: datetime) -> None:
    """Let the latest loaded hour end then. What states are as of is the one thing that no event says."""
    with stack.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute("update loaded_hours set partition_hour = %s - interval '1 hour', is_closed = true", (moment,))
        connection.commit()


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.title)
def test_a_worked_example(stack: Stack, case: Case) -> None:
    for one in reversed(case.story):  # in another order than it happened
        load(stack, one)
    tell(stack, *case.story)
    if case.as_of:
        look_at(stack, at(case.as_of))
    assert found(stack) == case.carts
    with stack.warehouse() as connection:
        assert unequal_sums(connection) == {}


def test_every_example_is_read() -> None:
    assert len(list(cases())) == 15
    assert sum(len(case.story) for case in cases()) > 60


def left(stack: Stack) -> list[tuple[Any, ...]]:
    return rows(stack, "select product_id, quantity, price::text, value::text from fact_cart_items order by 1")


def test_an_event_of_several_products_adds_each_of_them(stack: Stack) -> None:
    items = [
        OrderItem(product_id="mouse", price=Decimal("9.50"), quantity=2),
        OrderItem(product_id="mouse", quantity=1),
        OrderItem(name="Gift wrap"),
    ]
    tell(stack, event("1 10:00", "add_to_cart", product=Product(id="board", price=Decimal(75)), items=items))
    assert left(stack) == [
        ("Gift wrap", 1, None, "0.00"),
        ("board", 1, "75", "75.00"),
        ("mouse", 3, "9.5", "28.50"),
    ]
    assert rows(stack, "select pieces, unpriced_pieces, value::text from fact_carts") == [(5, 1, "103.50")]


def test_the_product_of_an_event_that_lists_it_too_is_added_once(stack: Stack) -> None:
    mouse = Product(id="mouse", price=Decimal(10), discount_price=Decimal(8))
    tell(stack, event("1 10:00", "add_to_cart", product=mouse, items=[OrderItem(product_id="mouse", quantity=3)]))
    assert left(stack) == [("mouse", 3, "8", "24.00")]


def test_an_add_that_names_nothing_is_still_a_cart(stack: Stack) -> None:
    tell(stack, event("1 10:00", "add_to_cart"))
    assert left(stack) == [("(none)", 1, None, "0.00")]


def test_money_is_in_the_first_currency_that_is_named(stack: Stack) -> None:
    for minute, (thing, money) in enumerate([("a", None), ("b", "EUR"), ("c", "USD")]):
        product = Product(id=thing, price=Decimal(10))
        tell(stack, event(f"1 10:0{minute}", "add_to_cart", product=product, currency=money))
    assert rows(stack, "select currency, value::text, pieces, unpriced_pieces from fact_carts") == [
        ("EUR", "20.00", 3, 1)
    ]


def test_what_was_paid_counts_in_the_currency_of_the_order(stack: Stack) -> None:
    product = Product(id="a", price=Decimal(10))
    tell(stack, event("1 10:00", "add_to_cart", product=product, currency="EUR"))
    tell(stack, event("3 10:00", "purchase", order=Order(id="o1", value=Decimal(12)), currency="USD"))
    sums = "select currency, carts, recovered, abandoned_value::text, recovered_revenue::text from agg_daily_carts order by 1"
    assert rows(stack, sums) == [("EUR", 1, 1, "10.00", "0.00"), ("USD", 0, 0, "0.00", "12.00")]


def test_a_cart_counts_on_the_date_of_the_add_before_its_outcome(stack: Stack) -> None:
    product = Product(id="a", price=Decimal(10))
    counted = "select local_date - date '2026-04-06', abandoned, bought, emptied from agg_daily_carts"
    tell(stack, event("1 23:30", "add_to_cart", product=product))
    assert rows(stack, counted) == [(0, 1, 0, 0)]
    tell(stack, event("2 00:10", "add_to_cart", product=product))
    assert rows(stack, counted) == [(1, 1, 0, 0)]
    tell(stack, event("3 00:10", "purchase", order=Order(id="o1", value=Decimal(12))))
    assert rows(stack, counted) == [(1, 0, 1, 0)]
    assert rows(stack, "select carts, abandoned_carts from agg_daily_cart_products") == [(1, 0)]


def test_a_warehouse_that_has_events_already_gets_its_carts(stack: Stack) -> None:
    tell(stack, *next(cases()).story, *(one for case in cases() for one in case.story if one.client_id == "bob"))
    with stack.warehouse() as connection:
        before = dump(connection)
        with transaction(connection) as cursor:
            cursor.execute("""
                drop schema in_segment cascade;
                drop view carts;
                drop table agg_daily_carts, agg_daily_cart_products, fact_cart_items, fact_carts, fact_cart_events;
                drop index clickstream_events_cart;
                alter table shop_settings drop column cart_left_after, drop column cart_recovery_window,
                    drop column cart_life, drop column cart_lines_limit;
                delete from schema_migrations where name = '0016_carts.sql';
                delete from model_versions where model ~ 'cart';
                """)
        assert migrate(connection, stack.settings) == ["0016_carts.sql"]
        with transaction(connection) as cursor:
            assert {name for name in changes.owed(cursor) if "cart" not in name} == set()
        rebuild_all(connection)
        assert differences(before, dump(connection)) == {}
    assert rows(stack, "select count(*) > 1 from fact_carts") == [(True,)]
