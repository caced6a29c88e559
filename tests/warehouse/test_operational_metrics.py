"""Operational numbers from the raw bucket: an hour's object replaces exactly its hour, however often and late it comes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.operations import LOOKBACK, LoadedNumbers, load_operations
from ingest_lambda import landing
from ingest_lambda.operations import OperationalMetric

T = datetime(2026, 3, 14, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def warehouse(stack: Stack) -> Iterator[Connection]:
    with stack.warehouse() as connection:
        yield connection


def put(stack: Stack, hour: datetime, **values: float) -> None:
    lines = [
        msgspec.json.encode(OperationalMetric(hour, "api", name, value, "Count")) for name, value in values.items()
    ]
    stack.store.put(landing.operations_key(hour), b"\n".join(lines) + b"\n")


def held(connection: Connection) -> list[tuple[datetime, str, float]]:
    with transaction(connection) as cursor:
        cursor.execute("select hour, metric, value from operational_metrics order by hour, metric")
        return cursor.fetchall()


def test_each_hour_s_object_becomes_its_rows(stack: Stack, warehouse: Connection) -> None:
    put(stack, T, requests=10, server_errors=0)
    put(stack, T + HOUR, requests=12)
    stack.store.put(f"{landing.OPERATIONS}/readme.txt", b"not ours")
    assert load_operations(warehouse, stack.store) == LoadedNumbers(2, 3)
    assert held(warehouse) == [(T, "requests", 10), (T, "server_errors", 0), (T + HOUR, "requests", 12)]


def test_the_same_objects_again_change_nothing(stack: Stack, warehouse: Connection) -> None:
    put(stack, T, requests=10)
    load_operations(warehouse, stack.store)
    assert load_operations(warehouse, stack.store) == LoadedNumbers()
    assert held(warehouse) == [(T, "requests", 10)]


def test_an_hour_that_is_written_again_replaces_its_rows_and_no_others(stack: Stack, warehouse: Connection) -> None:
    put(stack, T, requests=10, client_errors=1)
    put(stack, T + HOUR, requests=12)
    load_operations(warehouse, stack.store)
    put(stack, T, requests=11)
    assert load_operations(warehouse, stack.store) == LoadedNumbers(1, 1)
    assert held(warehouse) == [(T, "requests", 11), (T + HOUR, "requests", 12)]


def test_a_late_hour_inside_the_look_back_is_found(stack: Stack, warehouse: Connection) -> None:
    put(stack, T, requests=10)
    load_operations(warehouse, stack.store)
    put(stack, T - LOOKBACK, requests=3)
    put(stack, T - LOOKBACK - 25 * HOUR, requests=4)
    assert load_operations(warehouse, stack.store).hours == 1
    assert [hour for hour, _, _ in held(warehouse)] == [T - LOOKBACK, T]


@pytest.mark.parametrize("body", [b"broken\n", b'{"hour": 7}\n', b"\xff\xfe\n"])
def test_an_object_that_cannot_be_read_costs_only_itself(stack: Stack, warehouse: Connection, body: bytes) -> None:
    put(stack, T, requests=10)
    stack.store.put(landing.operations_key(T + HOUR), body)
    loaded = load_operations(warehouse, stack.store)
    assert (loaded.hours, loaded.numbers) == (1, 1)
    assert [reason.partition(":")[0] for reason in loaded.unreadable] == [landing.operations_key(T + HOUR)]
    put(stack, T + HOUR, requests=12)
    assert load_operations(warehouse, stack.store) == LoadedNumbers(1, 1)


def test_an_object_with_another_hour_s_numbers_is_not_believed(stack: Stack, warehouse: Connection) -> None:
    put(stack, T, requests=10)
    stack.store.put(landing.operations_key(T + HOUR), stack.store.get(landing.operations_key(T)).bytes())
    assert "has numbers of" in load_operations(warehouse, stack.store).unreadable[0]
    assert held(warehouse) == [(T, "requests", 10)]


def test_the_order_of_loading_does_not_matter(stack: Stack, warehouse: Connection) -> None:
    for n in (2, 0, 1):
        put(stack, T + n * HOUR, requests=n)
        load_operations(warehouse, stack.store)
    apart = held(warehouse)
    with transaction(warehouse) as cursor:
        cursor.execute("truncate operational_metrics, operational_objects")
    assert load_operations(warehouse, stack.store) == LoadedNumbers(3, 3)
    assert held(warehouse) == apart
