"""Which hours of which tables are in the lake, and which are owed to it (the table `lake_hours`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg2 import sql

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.settings import LISTING_GRACE
from clickstream_dagster.warehouse.connection import Connection, Cursor, owning, transaction
from clickstream_dagster.warehouse.lake.column_types import LakeColumn, columns_of, layout_of
from clickstream_dagster.warehouse.models import Model, all_models


@dataclass(frozen=True)
class Table:
    """A table that lies in the lake."""

    model: Model
    columns: list[LakeColumn]

    @property
    def layout(self) -> str:
        """The names and types of its columns."""
        return layout_of(self.columns)


@dataclass(frozen=True, order=True)
class LakeHour:
    """An hour of a table in the lake: its object, which is None while it has no rows, and what is in it. `written_changes` is the
    count of changes that this is of; None: it was never written. `is_owed`: the rows or the columns have changed since."""

    hour: datetime
    model: str
    object_key: str | None
    row_count: int
    size_bytes: int
    written_changes: int | None
    is_owed: bool


def lake_models() -> list[Model]:
    """The models that lie in the lake."""
    return [model for model in all_models().values() if model.lake]


def tables(connection: Connection) -> dict[str, Table]:
    """The tables in the lake as they are now. Raises `NoSuchType`."""
    with transaction(connection) as cursor:
        return {model.name: Table(model, columns_of(cursor, model.name)) for model in lake_models()}


def has_begun(connection: Connection) -> bool:
    """Whether the manifest follows every table of the lake."""
    with transaction(connection) as cursor:
        return not _unfollowed(cursor)


def begin(connection: Connection) -> None:
    """Have the manifest follow the tables from now on: until the first write, a warehouse pays nothing for the lake."""
    with transaction(connection) as cursor, owning(cursor):
        for model in _unfollowed(cursor):
            assert model.lake
            cursor.execute("call follow_in_lake(%s, %s)", (model.name, model.lake.hour))


def _unfollowed(cursor: Cursor) -> list[Model]:
    cursor.execute("select distinct tgrelid::regclass::text from pg_trigger where tgfoid = 'note_lake_hours'::regproc")
    followed = {table for (table,) in cursor.fetchall()}
    return [model for model in lake_models() if model.name not in followed]


def all_hours(connection: Connection, found: Mapping[str, Table]) -> list[LakeHour]:
    """Every hour that ever had rows, oldest first."""
    with transaction(connection) as cursor:
        cursor.execute(
            """
            select
                hour, model, object_key, row_count, size_bytes, written_changes,
                (written_changes, lake_hours.layout) is distinct from (changes, now.layout)
            from lake_hours
            inner join unnest(%s::text[], %s::text[]) as now (model, layout) using (model)
            order by hour, model
            """,
            (list(found), [table.layout for table in found.values()]),
        )
        return [LakeHour(*row) for row in cursor.fetchall()]


def in_hour(table: Table, hour: LakeHour) -> sql.Composed:
    """Which rows of the table are of the hour."""
    assert table.model.lake
    return sql.SQL("{column} >= {start} and {column} < {end}").format(
        column=sql.Identifier(table.model.lake.hour),
        start=sql.Literal(hour.hour),
        end=sql.Literal(hour.hour + HOUR),
    )


def closed(connection: Connection, hours: list[LakeHour]) -> list[LakeHour]:
    """Those that ended an hour ago, and are loaded whole as far as they are received."""
    latest = datetime.now(UTC) - HOUR - LISTING_GRACE
    with transaction(connection) as cursor:
        cursor.execute("select partition_hour from loaded_hours where not is_closed or is_run_owed")
        opened = {hour for (hour,) in cursor.fetchall()}
    return [one for one in hours if one.hour <= latest and one.hour not in opened]
