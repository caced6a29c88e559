"""Two tables at a time, on two connections."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from threading import Barrier, Event

import pytest

from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, connect
from clickstream_dagster.warehouse.hands import Hands
from clickstream_dagster.warehouse.models import Model, all_models

PAGES, PATHS, PRODUCTS, ITEMS = (
    all_models()[name]
    for name in ("fact_session_pages", "fact_session_paths", "fact_session_products", "fact_order_items")
)


def test_two_tables_are_worked_on_at_once_each_on_a_connection_of_its_own(warehouse: Connection) -> None:
    together = Barrier(2, timeout=60)

    def work(connection: Connection, model: Model) -> int:
        together.wait()
        return connection.info.backend_pid

    with Hands(warehouse, work) as hands:
        assert [hands.begin(model) for model in (PAGES, PATHS, PATHS)] == [True, True, False]
        found: set[int] = set()
        while len(found) < 2:
            found |= set(hands.finished())
        assert warehouse.info.backend_pid in found


def test_tables_that_move_the_same_sums_are_worked_on_one_after_the_other(warehouse: Connection) -> None:
    with Hands(warehouse, lambda connection, model: model.name) as hands:
        assert (hands.begin(PRODUCTS), hands.begin(ITEMS)) == (True, False)
        assert list(hands.finished()) == [PRODUCTS.name]
        assert hands.begin(ITEMS)


def test_what_has_begun_beside_a_failure_comes_to_its_end(warehouse: Connection) -> None:
    failed, ended = Event(), []

    def work(connection: Connection, model: Model) -> None:
        if model is PAGES:
            failed.set()
            raise ValueError("a test of this table has failed")
        assert failed.wait(60)
        with connection, connection.cursor() as cursor:
            cursor.execute("select pg_sleep(0.5)")
        ended.append(model.name)

    def work_on_both() -> None:
        with Hands(warehouse, work) as hands:
            assert (hands.begin(PAGES), hands.begin(PATHS)) == (True, True)
            list(hands.finished())

    with pytest.raises(ValueError, match="has failed"):
        work_on_both()
    assert ended == [PATHS.name]


def test_a_server_without_room_for_a_second_connection_is_served_by_one(postgres: Postgres, stack: Stack) -> None:
    with stack.warehouse() as connection, closing(connect(replace(postgres, database="postgres"))) as other:
        other.autocommit = True
        with other.cursor() as cursor:
            cursor.execute(f'alter database "{stack.server.database}" allow_connections false')
        with Hands(connection, lambda connection, model: model.name) as hands:
            assert (hands.begin(PAGES), hands.begin(PATHS)) == (True, False)
            assert list(hands.finished()) == [PAGES.name]
            assert hands.begin(PATHS)
