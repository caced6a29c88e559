"""Any table as of a segment's people: two segments that part everybody part every table, to the last sum."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import obstore
import pytest
from hypothesis import HealthCheck, given, settings
from obstore.store import MemoryStore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, Cursor, create_database, transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.migrate import migrate
from clickstream_dagster.warehouse.models import Model, all_models
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda.contract import Order
from support.histories import HOURS, START, RawFile, raw_files
from support.stories import event, rows, tell
from support.tables import empty
from support.thorough import examples

SEGMENTS = "segments: [{name: buyers, where: {orders: {at_least: 1}}}, {name: others, where: {orders: 0}}]"
SUMS = [model for model in all_models().values() if model.materialized == "sum"]


@pytest.fixture(scope="module")
def shop(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    home = tmp_path_factory.mktemp("parted")
    (home / "mine.yml").write_text(SEGMENTS)
    create_database(postgres, "parted")
    chosen = load_settings({"CLICKSTREAM_HOME": str(home), "CLICKSTREAM_SEGMENTS": str(home / "mine.yml")})
    return Stack(replace(chosen, postgres=replace(postgres, database="parted")))


@contextmanager
def asking_of(connection: Connection, segment: str) -> Iterator[Cursor]:
    """A cursor that sees the tables of a segment's people."""
    with transaction(connection) as cursor:
        cursor.execute("set local search_path = in_segment, public")
        cursor.execute("select set_config('clickstream.segment', %s, true)", (segment,))
        yield cursor


Rows = dict[str, tuple[Decimal, ...]]


def summed(cursor: Cursor, model: Model) -> Rows:
    """People's rows: the measures of each row of the grain. A bot is in no segment."""
    grain, measures = ", ".join(model.grain), ", ".join(column.name for column in model.measures)
    cursor.execute(f"select row({grain})::text, {measures} from {model.name} where not is_bot")
    return {key: measured for key, *measured in cursor.fetchall()}  # type: ignore[misc]


def added(one: Rows, other: Rows) -> Rows:
    """The rows of both, those of the same grain added up."""
    both = {key: [part[key] for part in (one, other) if key in part] for key in one | other}
    return {key: list(map(sum, zip(*held, strict=True))) for key, held in both.items()}  # type: ignore[misc, arg-type]


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(files=raw_files())
def test_two_segments_that_part_everybody_part_every_sum(shop: Stack, files: list[RawFile]) -> None:
    store = MemoryStore()
    for file in files:
        obstore.put(store, file.key, file.data)
    with shop.warehouse() as connection:
        empty(connection)
        load_hours(connection, store, START, START + HOURS * HOUR)
        rebuild_all(connection)
        with transaction(connection) as cursor:
            whole = {model.name: summed(cursor, model) for model in SUMS}
        parts = []
        for segment in ("buyers", "others"):
            with asking_of(connection, segment) as cursor:
                parts.append({model.name: summed(cursor, model) for model in SUMS})
    assert {name: added(parts[0][name], parts[1][name]) for name in whole} == whole


STORY = (
    event("1 10:00", "page_view", "ann", "/"),
    event("1 10:05", "purchase", "ann", order=Order(id="a1", value=Decimal(20))),
    event("1 11:00", "page_view", "bob", "/"),
    event("2 11:00", "page_view", "bob", "/"),
    event("2 11:00", "page_view", "bob", "/about"),
)


def test_a_worked_example(shop: Stack) -> None:
    with shop.warehouse() as connection:
        empty(connection)
    tell(shop, *STORY)
    query = "select local_date::text, visitors, sessions, page_views, orders from agg_daily_traffic order by 1"
    with shop.warehouse() as connection:
        with asking_of(connection, "buyers") as cursor:
            cursor.execute(query)
            assert cursor.fetchall() == [("2026-04-06", 1, 1, 1, 1)]
        with asking_of(connection, "others") as cursor:
            cursor.execute(query)
            assert cursor.fetchall() == [("2026-04-06", 1, 1, 1, 0), ("2026-04-07", 1, 1, 2, 0)]
            cursor.execute("select distinct visitor_id from clickstream_events")
            assert cursor.fetchall() == [("bob",)]
        with asking_of(connection, "nobody") as cursor:
            cursor.execute(query)
            assert cursor.fetchall() == []
    assert rows(shop, query) == [("2026-04-06", 2, 2, 2, 1), ("2026-04-07", 1, 1, 2, 0)]


def test_every_table_that_says_whose_a_row_is_has_its_view(shop: Stack) -> None:
    people = {"person_id", "visitor_id", "session_key", "order_id"}
    meant = {
        model.name for model in all_models().values() if model.materialized == "sum" or people & set(model.column_names)
    }
    found = {name for (name,) in rows(shop, "select viewname from pg_views where schemaname = 'in_segment'")}
    of_all = {"segment_members", "shop_orders", "order_reconciliation"}
    assert found == meant - of_all | {"people"}


def test_the_reader_may_ask_and_a_migration_may_change_what_they_read(shop: Stack) -> None:
    with shop.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("update model_versions set sql_hash = '' where model in ('customer_rfm', 'fact_events')")
    with shop.warehouse() as connection:
        migrate(connection, shop.settings)
    with shop.reading() as connection, asking_of(connection, "buyers") as cursor:
        cursor.execute("select count(*) from agg_daily_traffic")
        cursor.execute("select has_schema_privilege('in_segment', 'create')")
        assert cursor.fetchone() == (False,)


def test_a_view_of_the_owners_on_one_that_stays_holds_up_no_migration(shop: Stack) -> None:
    with shop.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("create view left_carts as select * from carts")
        cursor.execute("update model_versions set sql_hash = '' where model = 'watched_hours'")
    try:
        with shop.warehouse() as connection:
            migrate(connection, shop.settings)
        assert rows(shop, "select count(*) from left_carts") == rows(shop, "select count(*) from carts")
        assert rows(shop, "select count(*) from anomalies") == [(0,)], "it reads the one that was made again"
    finally:
        with shop.warehouse() as connection, transaction(connection) as cursor:
            cursor.execute("drop view left_carts")
