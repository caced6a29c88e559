"""Compare the lake with the tables, row by row: an hour is equal when both engines say the same text of every value."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.store import ObjectStore
from psycopg2 import sql

from clickstream_dagster.warehouse.connection import Connection, locked
from clickstream_dagster.warehouse.lake import parquet
from clickstream_dagster.warehouse.lake.column_types import LakeColumn
from clickstream_dagster.warehouse.lake.hours import LakeHour, Table, all_hours, in_hour, tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: The key of a row, and the digest of its texts.
Row = tuple[str, str]


@dataclass
class Difference:
    """An hour that is not the same: keys of rows that only PostgreSQL has as they are there, and those that only the lake has. A
    row that differs is on both sides. `broken` says what is wrong with the object itself."""

    hour: LakeHour
    only_in_postgres: list[str] = field(default_factory=list)
    only_in_lake: list[str] = field(default_factory=list)
    broken: str | None = None


@dataclass
class Verified:
    """Hours that were compared and their rows in PostgreSQL, hours that wait for `clickstream lake write`, and what differs."""

    hours: int = 0
    rows: int = 0
    waiting: int = 0
    differences: list[Difference] = field(default_factory=list)


def verify(
    connection: Connection,
    store: ObjectStore,
    choose: Callable[[list[LakeHour]], Iterable[LakeHour]],
    on_hour: Callable[[Verified], object] = lambda done: None,
) -> Verified:
    """Compare the hours that `choose` leaves. Changes nothing."""
    found, done = tables(connection), Verified()
    with parquet.opened() as duck:
        for hour in choose(all_hours(connection, found)):
            if hour.is_owed:
                done.waiting += 1
            else:
                _compare(connection, store, duck, found[hour.model], hour, done)
            on_hour(done)
    return done


def _compare(
    connection: Connection, store: ObjectStore, duck: DuckDBPyConnection, table: Table, hour: LakeHour, done: Verified
) -> None:
    changes, rows = _in_postgres(connection, table, hour)
    if changes != hour.written_changes:  # since the hours were listed
        done.waiting += 1
        return
    done.hours += 1
    done.rows += rows.total()
    try:
        stored = _in_lake(store, duck, table, hour)
    except FileNotFoundError:
        done.differences.append(Difference(hour, broken="it is not in the store"))
        return
    except parquet.NotInParquet as error:
        done.differences.append(Difference(hour, broken=str(error)))
        return
    if rows != stored:
        done.differences.append(Difference(hour, _keys(rows - stored), _keys(stored - rows)))


def _keys(rows: Counter[Row]) -> list[str]:
    return sorted(key for key, _ in rows.elements())


def _in_postgres(connection: Connection, table: Table, hour: LakeHour) -> tuple[int, Counter[Row]]:
    """The count of changes of an hour, and its rows, on one snapshot."""
    with locked(connection) as cursor:
        cursor.execute("select changes from lake_hours where model = %s and hour = %s", (hour.model, hour.hour))
        [(changes,)] = cursor.fetchall()
        cursor.execute(
            sql.SQL("select {key}, md5({digest}) from (select {said} from {table} where {in_hour}) as said").format(
                key=sql.Identifier(_key(table)),
                digest=sql.SQL(" || ").join(map(_digest, table.columns)),
                said=sql.SQL(", ").join(
                    sql.SQL("{} as {}").format(column.said, sql.Identifier(column.name)) for column in table.columns
                ),
                table=sql.Identifier(hour.model),
                in_hour=in_hour(table, hour),
            )
        )
        return changes, Counter(cursor.fetchall())


def _digest(column: LakeColumn) -> sql.Composed:
    """With its length, so that no two rows say the same by running on into the next column."""
    return sql.SQL("coalesce(octet_length({0}) || ':' || {0}, '-')").format(sql.Identifier(column.name))


def _in_lake(store: ObjectStore, duck: DuckDBPyConnection, table: Table, hour: LakeHour) -> Counter[Row]:
    if not hour.object_key:
        return Counter()
    with tempfile.TemporaryDirectory(prefix="clickstream-lake-") as folder:
        file = Path(folder) / "rows.parquet"
        with file.open("wb") as copy:
            for part in obstore.get(store, hour.object_key):
                copy.write(part)
        return Counter(parquet.row_digests(duck, file, table.columns, _key(table)))


def _key(table: Table) -> str:
    """The column that names a row: the last of those that it is sorted by."""
    assert table.model.lake
    return table.model.lake.order_by[-1]
