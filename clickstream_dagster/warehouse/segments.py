"""The owner's segments as rows, which the view `segment_members` compares people with: no text of the owner's is ever SQL."""

from __future__ import annotations

from psycopg2 import sql
from psycopg2.extras import execute_values

from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.segment_file import COLUMNS, Segment

_NAMES = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))


def are_new(cursor: Cursor, segments: list[Segment]) -> bool:
    """Are these others than those that the warehouse has?"""
    cursor.execute(sql.SQL("select {} from segments order by place").format(_NAMES))
    return cursor.fetchall() != segments


def write(cursor: Cursor, segments: list[Segment]) -> None:
    """Put these in the place of those that the warehouse has, where they are others."""
    if not are_new(cursor, segments):
        return
    cursor.execute("delete from segments")
    rows = [(place, *segment) for place, segment in enumerate(segments)]
    execute_values(cursor, sql.SQL("insert into segments (place, {}) values %s").format(_NAMES), rows)
    cursor.execute("analyze segments")
