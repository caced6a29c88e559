"""A sum moves with its facts, by what has changed, and is at every commit its own SQL over them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.audits import AuditFailed
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.dates import owe_dates
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.rebuild import rebuild, rebuild_all
from ingest_lambda.contract import Order, OrderItem, Product
from support.stories import event, load, rows, tell
from support.tables import dump, unequal_sums

SUMS = [model for model in all_models().values() if model.materialized == "sum"]
PLACES = "select ctid::text, t::text from {} as t order by t::text"


def shown(variant: str) -> dict[str, Any]:
    return {"experiment": "cart", "variant": variant}


def bought(order_id: str, price: str) -> dict[str, Any]:
    item = OrderItem(product_id="p1", price=Decimal(price))
    return {"product": Product(id="p1"), "order": Order(id=order_id, items=[item])}


@pytest.fixture
def shop(stack: Stack) -> Stack:
    tell(
        stack,
        event("1 10:00", "view_product", path="/p/1", product=Product(id="p1", category="Mice"), **shown("a")),
        event("1 10:01", "search", search_query="mouse"),
        event("1 10:01:30", "add_to_cart", product=Product(id="p1", price=Decimal("9.50"))),
        event("1 10:02", "purchase", **bought("o1", "9.50")),
        event("2 10:00", "view_product", "bob", "/p/1", product=Product(id="p1", category="Mice"), **shown("b")),
        event("2 10:01", "add_to_cart", visitor="bob", product=Product(id="p1", price=Decimal("9.50"))),
    )
    return stack


@pytest.mark.parametrize("model", SUMS, ids=lambda model: model.name)
def test_every_sum_can_be_moved(model: Any) -> None:
    """What `sums.py` needs of a model: its grain first, then measures, of which one counts the rows behind each row."""
    assert model.column_names[: len(model.grain)] == model.grain
    assert "row_count" in model.column_names
    assert {"local_date"} <= set(model.grain)
    assert all(all_models()[name].materialized in ("spans", "keys") for name in model.reads)
    assert {column.data_type for column in model.measures} <= {"integer", "bigint", "numeric"}


def test_a_row_moves_where_it_stands_and_its_neighbours_stay(shop: Stack) -> None:
    with shop.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute(
            "select ctid::text from agg_daily_pages where local_date = (select max(local_date) from agg_daily_pages)"
        )
        [(other_day,)] = cursor.fetchall()
    tell(shop, event("1 10:03", "page_view", path="/about"))
    with shop.warehouse() as connection:
        assert unequal_sums(connection) == {}
    assert (other_day,) in rows(shop, "select ctid::text from agg_daily_pages")


def test_an_amount_has_the_same_bytes_whatever_came_and_went(shop: Stack) -> None:
    """PostgreSQL's numeric remembers the digits of what was taken away."""
    tell(shop, event("1 11:30", "purchase", **bought("o2", "0.123456")))
    tell(shop, event("1 11:31", "refund", order=Order(id="o2")))
    revenue = "select revenue::text, refunded::text from agg_daily_revenue"
    assert rows(shop, revenue) == [("9.623456", "0.123456")]
    with shop.warehouse() as connection:
        with transaction(connection) as cursor:
            cursor.execute("delete from clickstream_events where order_key = 'o2'")
            changes.owe_all(cursor, all_models()["fact_sessions"])
            changes.owe_keys(cursor, "fact_orders", "select 'o2'")
        rebuild_all(connection)
        assert unequal_sums(connection) == {}
    assert rows(shop, revenue) == [("9.50", "0.00")]


def test_a_row_that_nothing_stands_behind_goes(shop: Stack) -> None:
    with shop.warehouse() as connection:
        with transaction(connection) as cursor:
            cursor.execute("delete from clickstream_events where visitor_id = 'bob'")
            changes.owe_spans(cursor, "select visitor_id, started_at from fact_sessions where visitor_id = 'bob'")
        rebuild_all(connection)
        assert unequal_sums(connection) == {}
    for model in SUMS:
        assert len({row for (row,) in rows(shop, f"select local_date from {model.name}")}) == 1, model.name


def test_a_person_can_have_days_of_a_sum_computed_again(shop: Stack) -> None:
    model = all_models()["agg_daily_products"]
    with shop.warehouse() as connection:
        before = dump(connection)
        with transaction(connection) as cursor:
            cursor.execute("update agg_daily_products set views = 7")
            cursor.execute("select min(local_date) from agg_daily_products")
            [(first,)] = cursor.fetchall()
        owe_dates(connection, model, first, first)
        done = rebuild(connection, model)
        assert (done.keys, done.removed, done.added) == (1, 1, 1)
        assert list(unequal_sums(connection)) == ["agg_daily_products"]  # the other day
        owe_dates(connection, model, first, date(first.year + 1, 1, 1))
        rebuild(connection, model)
        assert dump(connection) == before


def test_a_sum_that_is_owed_as_a_whole_is_not_moved_until_that_is_paid(shop: Stack) -> None:
    model = all_models()["agg_daily_traffic"]
    with shop.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("delete from agg_daily_traffic")
        changes.owe_all(cursor, model)
    load(shop, event("1 12:00", "page_view", visitor="cleo"))
    with shop.warehouse() as connection:
        rebuild(connection, all_models()["fact_sessions"])
        assert dump(connection)[model.name] == ""
        rebuild_all(connection)
        assert unequal_sums(connection) == {}


def test_a_failed_test_of_a_sum_leaves_its_fact_owed(shop: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    from clickstream_dagster.warehouse import sums

    strict = replace(
        all_models()["agg_daily_pages"],
        columns=tuple(
            replace(column, tests=(("accepted_values", {"values": ["/"]}),)) if column.name == "page_path" else column
            for column in all_models()["agg_daily_pages"].columns
        ),
    )
    load(shop, event("1 12:00", "page_view", path="/new"))
    with shop.warehouse() as connection:
        rebuild(connection, all_models()["fact_sessions"])
        before = dump(connection)
        monkeypatch.setattr(sums, "sums_of", lambda fact: [strict])
        with pytest.raises(AuditFailed, match=r"agg_daily_pages was not changed.*accepted_values\(page_path\)"):
            rebuild(connection, all_models()["fact_session_pages"])
        assert dump(connection) == before
        monkeypatch.undo()
        rebuild_all(connection)
        assert unequal_sums(connection) == {}
