"""Staging: decoded objects into temporary tables, by COPY."""

from __future__ import annotations

import io
from collections.abc import Iterable

import psycopg2
from psycopg2 import sql

from clickstream_dagster.raw import rows
from clickstream_dagster.raw.decode import Decoded
from clickstream_dagster.warehouse.connection import Cursor
from ingest_lambda import contract, rejects
from ingest_lambda.contract import Event, Rejection


def create_staging(cursor: Cursor) -> None:
    """The temporary tables of one transaction."""
    cursor.execute("""
        create temporary table staged_events (like clickstream_events) on commit drop;
        create temporary table staged_rejects (like rejected_events) on commit drop;
        create temporary table staged_objects (like raw_objects) on commit drop;
        alter table staged_objects alter column loaded_at drop not null;
        """)


def stage(cursor: Cursor, batch: Iterable[Decoded], own_hosts: tuple[str, ...]) -> None:
    """Stage the events, rejects and manifest entries of a batch."""
    decoded = list(batch)
    staged = [
        (origin, place, row) for origin in decoded for place, row in enumerate(rows.event_rows(origin, own_hosts))
    ]
    poison = _copy_events(cursor, staged)
    for origin, place in sorted(poison, key=lambda found: -found[1]):
        number, event = origin.events.pop(place)
        origin.rejects.append((number, _unloadable(event)))
    copy(cursor, "staged_rejects", rows.REJECT_COLUMNS, [row for origin in decoded for row in rows.reject_rows(origin)])
    copy(cursor, "staged_objects", rows.OBJECT_COLUMNS, [rows.object_row(origin) for origin in decoded])


def _copy_events(cursor: Cursor, staged: list[tuple[Decoded, int, str]]) -> list[tuple[Decoded, int]]:
    """COPY the events. The contract lets nothing through that a column cannot hold; should it ever, the poison is found
    by halves and returned, so that it costs only itself."""
    cursor.execute("savepoint before_copy")
    try:
        copy(cursor, "staged_events", rows.EVENT_COLUMNS, [row for _, _, row in staged])
        return []
    except psycopg2.DataError:
        cursor.execute("rollback to savepoint before_copy")
    if len(staged) == 1:
        return [staged[0][:2]]
    half = len(staged) // 2
    return _copy_events(cursor, staged[:half]) + _copy_events(cursor, staged[half:])


def _unloadable(event: Event) -> Rejection:
    message = "PostgreSQL cannot hold this event; please report it with its body, the contract should have refused it."
    return rejects.bounded(Rejection("unloadable", message, event.received_at, 0, contract.encode(event).decode()))


def copy(cursor: Cursor, table: str, columns: tuple[str, ...], lines: list[str]) -> None:
    """COPY lines into a table."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    command = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), names)
    cursor.copy_expert(command, io.StringIO("".join(lines)), 1 << 20)
