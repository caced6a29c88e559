"""What the collector has taken, loaded into a real warehouse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from tracker_site import Collector

Ask = Callable[[str], list[tuple[Any, ...]]]


def loaded(stack: Stack, collector: Collector) -> Ask:
    """Load what was collected; returns the way to ask."""
    end = datetime.now(UTC) + timedelta(hours=1)
    with stack.warehouse() as connection:
        load_hours(connection, collector.store, end - timedelta(hours=3), end)
        rebuild_all(connection)

    def ask(query: str) -> list[tuple[Any, ...]]:
        with stack.warehouse() as connection, transaction(connection) as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    return ask


def assert_books_balance(ask: Ask, collector: Collector) -> None:
    """Each event that was sent stands in the warehouse once, each repeat among the duplicates."""
    [(received, kept, duplicate, difference)] = ask(
        "select coalesce(sum(received), 0), coalesce(sum(loaded), 0), coalesce(sum(duplicate), 0),"
        " coalesce(sum(abs(difference)), 0) from etl_ledger"
    )
    ids = collector.ids()
    assert difference == 0
    assert received == len(ids) + len(collector.lines("rejected"))
    assert kept == len(set(ids))
    assert duplicate == len(ids) - kept
    rows = ask("select event_id::text from clickstream_events")
    assert sorted(event_id for (event_id,) in rows) == sorted(set(ids))
