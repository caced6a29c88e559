"""Write one hour of one table, in three steps, each of which is done again by doing it again: its object is stored; whatever else
lies in the hour's folder goes; the manifest says what is there. The manifest comes last: an hour that it calls written has no
older object, and so nobody's rows who left the table.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import obstore
from obstore.store import ObjectStore
from psycopg2 import sql

from clickstream_dagster.raw.packs.changing import delete
from clickstream_dagster.raw.packs.writing import put
from clickstream_dagster.raw.versions import remove_older
from clickstream_dagster.warehouse.connection import Connection, locked, transaction
from clickstream_dagster.warehouse.lake import parquet
from clickstream_dagster.warehouse.lake.column_types import ordered
from clickstream_dagster.warehouse.lake.hours import LakeHour, Table, in_hour
from ingest_lambda import landing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class CannotWrite(RuntimeError):
    """An hour has a row that has no place in its Parquet types; the message names the hour."""


@dataclass
class Written:
    """What was done, or would be: hours with other rows than before, their rows and bytes, and objects that went."""

    hours: int = 0
    rows: int = 0
    size_bytes: int = 0
    removed: int = 0


class _Content(NamedTuple):
    """What the object of an hour holds, as of a count of changes."""

    object_key: str | None
    content_hash: str
    row_count: int
    size_bytes: int
    changes: int


def write_hour(
    connection: Connection,
    store: ObjectStore,
    duck: DuckDBPyConnection,
    table: Table,
    hour: LakeHour,
    done: Written,
    is_erasing: bool,
) -> None:
    """Write an hour as it is now, and count it on `done`. With `is_erasing`, older versions of its objects go too. Raises
    `CannotWrite`."""
    prefix = landing.lake_prefix(hour.model, hour.hour)
    with tempfile.TemporaryDirectory(prefix="clickstream-lake-") as folder:
        csv, file = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        changes, rows, content = _copy(connection, table, hour, csv)
        key = landing.lake_key(hour.model, hour.hour, content[:32]) if rows else None
        size = hour.size_bytes if key == hour.object_key else 0
        if key and key != hour.object_key:
            _convert(duck, table, hour, csv, file)
            size = file.stat().st_size
            with file.open("rb") as data:
                put(store, key, data)
    older = [meta["path"] for page in obstore.list(store, prefix=prefix) for meta in page if meta["path"] != key]
    delete(store, older)
    if is_erasing:
        remove_older(store, [f"{prefix}part-"])
    _enter(connection, table, hour, _Content(key, content, rows, size, changes))
    done.removed += len(older)
    if key != hour.object_key:
        done.hours += 1
        done.rows += rows
        done.size_bytes += size


def _enter(connection: Connection, table: Table, hour: LakeHour, content: _Content) -> None:
    with transaction(connection) as cursor:
        cursor.execute(
            """
            update lake_hours set
                object_key = %s, content_hash = %s, row_count = %s, size_bytes = %s, written_changes = %s, layout = %s,
                written_at = now()
            where model = %s and hour = %s
            """,
            (*content, table.layout, hour.model, hour.hour),
        )


def _convert(duck: DuckDBPyConnection, table: Table, hour: LakeHour, csv: Path, file: Path) -> None:
    try:
        parquet.write(duck, csv, file, table.columns)
    except parquet.NotInParquet as error:
        raise CannotWrite(
            f"The hour {hour.hour:%Y-%m-%d %H:00} of {hour.model} is not written, and what the lake had of it stays: {error}. "
            "Correct the row, or write a rule for such values in clickstream_dagster/warehouse/lake/column_types.py."
        ) from error


def _copy(connection: Connection, table: Table, hour: LakeHour, csv: Path) -> tuple[int, int, str]:
    """Copy the rows of an hour to a file, sorted: the count of changes that they are of, how many they are, and the hash of their
    columns and texts."""
    with locked(connection) as cursor, csv.open("wb") as file:
        cursor.execute("select changes from lake_hours where model = %s and hour = %s", (hour.model, hour.hour))
        [(changes,)] = cursor.fetchall()
        hashed = _Hashed(file, table.layout)
        cursor.copy_expert(_rows_of(table, hour).as_string(cursor), hashed)
        return changes, cursor.rowcount, hashed.sha.hexdigest()


def _rows_of(table: Table, hour: LakeHour) -> sql.Composed:
    """The COPY of an hour's rows."""
    return sql.SQL("copy (select {said} from {table} where {in_hour} order by {order}) to stdout (format csv)").format(
        said=sql.SQL(", ").join(column.said for column in table.columns),
        table=sql.Identifier(hour.model),
        in_hour=in_hour(table, hour),
        order=ordered(table.model, table.columns),
    )


class _Hashed:
    """A file that knows the hash of what was written to it."""

    def __init__(self, file: BinaryIO, first: str) -> None:
        self.file = file
        self.sha = hashlib.sha256(first.encode())

    def write(self, data: bytes) -> int:
        self.sha.update(data)
        return self.file.write(data)
