"""Our side of the comparisons: what the product does for an hour, by the names that its own code calls, and with its books
looked at afterwards: a load that loses a line is not fast."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from parts import START, fresh_warehouse

if TYPE_CHECKING:
    from obstore.store import ObjectStore

    from clickstream_dagster.stack import Stack
    from clickstream_dagster.warehouse.connection import Connection


def fresh_load(first: Stack, store: ObjectStore | None = None) -> float:
    """Seconds of loading the hour of a store (default: the stack's own) into an empty warehouse."""
    with fresh_warehouse(first) as stack:
        return load(stack, store)


def load(stack: Stack, store: ObjectStore | None = None, hour: datetime = START) -> float:
    """Seconds of a load of the hour: listing, reading, decoding, merging, duplicates, rejects, manifest."""
    from clickstream_dagster.partitions import HOUR
    from clickstream_dagster.warehouse.load import load_hours

    with stack.warehouse() as connection:
        started = time.perf_counter()
        loaded = load_hours(connection, store or stack.store, hour, hour + HOUR)
        elapsed = time.perf_counter() - started
        check(connection)
    assert loaded.objects, "nothing was there to load"
    return elapsed


def check(connection: Connection) -> None:
    """Every line of every object is in one of the three tables."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select (select sum(line_count) from raw_objects) = (select count(*) from clickstream_events)"
            " + (select count(*) from duplicate_events) + (select count(*) from rejected_events)"
        )
        assert cursor.fetchone() == (True,), "the books do not balance"


def rebuild(stack: Stack) -> dict[str, float]:
    """Seconds of bringing each table up to date, one after the other."""
    from clickstream_dagster.warehouse.rebuild import rebuild_all

    taken: dict[str, float] = {}
    with stack.warehouse() as connection:
        started = time.perf_counter()

        def note(model: str) -> None:
            nonlocal started
            now = time.perf_counter()
            taken[model] = now - started
            started = now

        rebuild_all(connection, lambda rebuilt: note(rebuilt.model))
    return taken
