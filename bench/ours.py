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
        check(connection, hour)
    assert loaded.objects, "nothing was there to load"
    return elapsed


def check(connection: Connection, hour: datetime) -> None:
    """Every line of every object of the hour is in one of the three tables."""
    tables = ("clickstream_events", "duplicate_events", "rejected_events")
    kept = " + ".join(f"(select count(*) from {table} where partition_hour = %(hour)s)" for table in tables)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"select sum(line_count) = {kept} from raw_objects where partition_hour = %(hour)s", {"hour": hour}
        )
        assert cursor.fetchone() == (True,), "the books do not balance"


def rebuild(stack: Stack) -> dict[str, float]:
    """Seconds of bringing all tables up to date: for each, those since the one that was done before it. Two are worked on at
    a time, so a short step may be the end of a long one."""
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
