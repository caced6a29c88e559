"""Load the operational numbers: each object that is new, or was written again, replaces exactly its hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from obstore.store import ObjectStore
from psycopg2.extras import execute_values

from clickstream_dagster.raw import operations
from clickstream_dagster.raw.operations import OperationsObject, Unreadable
from clickstream_dagster.warehouse.connection import Connection, Cursor, take_lock, transaction
from clickstream_dagster.warehouse.models import all_models
from ingest_lambda.operations import OperationalMetric

#: An object that lies further back from the latest hour is not looked for again: the function writes an hour twice.
LOOKBACK = timedelta(days=3)
_HELD = "select hour, etag from operational_objects where hour >= (select max(hour) from operational_objects) - %s"


@dataclass(frozen=True)
class LoadedNumbers:
    """What a load did. Objects that are `unreadable` are left out and tried again: nothing hangs on them."""

    hours: int = 0
    numbers: int = 0
    unreadable: tuple[str, ...] = ()


def load_operations(connection: Connection, store: ObjectStore) -> LoadedNumbers:
    """Load what is new: everything into an empty table, else what the look-back shows."""
    with transaction(connection) as cursor:
        # One at a time, from before the listing on: of two versions of an hour the later one must stay.
        take_lock(cursor, "operational_metrics")
        cursor.execute(_HELD, (LOOKBACK,))
        held: dict[datetime, str] = dict(cursor.fetchall())
        listed = operations.list_objects(store, max(held) - LOOKBACK if held else None)
        read: dict[OperationsObject, list[OperationalMetric]] = {}
        unreadable: list[str] = []
        for one in listed:
            if held.get(one.hour) != one.etag:
                try:
                    read[one] = operations.read(store, one)
                except Unreadable as error:
                    unreadable.append(str(error))
        return LoadedNumbers(len(read), _replace(cursor, read), tuple(unreadable))


def _replace(cursor: Cursor, read: dict[OperationsObject, list[OperationalMetric]]) -> int:
    """Put the hours of these objects in place of what stands there; how many numbers they have."""
    model = all_models()["operational_metrics"]
    columns = ", ".join(model.column_names)
    numbers = {(one.hour, one.source, one.metric): (one.value, one.unit) for found in read.values() for one in found}
    cursor.execute("create temporary table staged_metrics (like operational_metrics) on commit drop")
    rows = [(*key, *rest) for key, rest in numbers.items()]
    execute_values(cursor, f"insert into staged_metrics ({columns}) values %s", rows)
    cursor.execute("delete from operational_metrics where hour = any(%s)", ([one.hour for one in read],))
    cursor.execute(f"insert into operational_metrics ({columns}) {model.sql}")
    execute_values(
        cursor,
        "insert into operational_objects (hour, etag) values %s "
        "on conflict (hour) do update set etag = excluded.etag, loaded_at = now()",
        [(one.hour, one.etag) for one in read],
    )
    return len(rows)
