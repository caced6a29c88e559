"""Staging: prepared rows into temporary tables, by COPY, a bounded group at a time."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import psycopg2
from psycopg2 import sql

from clickstream_dagster.raw import copy_format, rows
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.raw.prepare import Group
from clickstream_dagster.warehouse.connection import Cursor
from ingest_lambda import contract, rejects
from ingest_lambda.contract import Event, Rejection


def create_staging(cursor: Cursor) -> None:
    """The temporary tables of one transaction."""
    cursor.execute("""
        create temporary table staged_events (like clickstream_events) on commit drop;
        create temporary table staged_rejects (like rejected_events) on commit drop;
        create temporary table staged_objects (like raw_objects) on commit drop;
        alter table staged_objects alter column loaded_at drop not null, alter column expired_count drop not null;
        """)


@dataclass
class _Object:
    """What was staged of one object so far."""

    raw: RawObject
    content_hash: UUID
    lines: int = 0
    events: int = 0
    rejects: int = 0
    erased: int = 0


def stage(cursor: Cursor, groups: Iterable[Group]) -> rows.Seen:
    """Stage the events, rejects and manifest entries of a batch of objects, whose parts come one after the other. What is to
    be labelled of them comes back."""
    staged: dict[str, _Object] = {}
    seen = rows.Seen()
    for group in groups:
        _stage_group(cursor, group)
        seen |= group.seen
        for part in group.parts:
            found = staged.setdefault(part.raw.key, _Object(part.raw, part.content_hash))
            found.lines += part.line_count
            found.events += len(part.events)
            found.rejects += len(part.rejects)
            found.erased += len(part.erased)
    entries = [
        rows.object_row(one.raw, one.content_hash, one.lines, one.events, one.rejects, one.erased)
        for one in staged.values()
    ]
    copy(cursor, "staged_objects", rows.OBJECT_COLUMNS, entries)
    return seen


def _stage_group(cursor: Cursor, group: Group) -> None:
    poison = _copy_events(cursor, group.events)
    places = [(part, place) for part in group.parts for place in range(len(part.events))] if poison else []
    for part, place in (places[number] for number in sorted(poison, reverse=True)):
        number, event = part.events.pop(place)
        part.rejects.append((number, _unloadable(event)))
    rejected = [row for part in group.parts if part.rejects for row in rows.reject_rows(part)]
    if rejected:
        copy(cursor, "staged_rejects", rows.REJECT_COLUMNS, rejected)


def _copy_events(cursor: Cursor, lines: list[bytes], first: int = 0) -> list[int]:
    """COPY the events, the first of which has the number `first`. The contract lets nothing through that a column cannot
    hold; should it ever, the poison is found by halves and its numbers returned, so that it costs only itself."""
    cursor.execute("savepoint before_copy")
    try:
        copy(cursor, "staged_events", rows.EVENT_COLUMNS, lines)
        return []
    except psycopg2.DataError:
        cursor.execute("rollback to savepoint before_copy")
    if len(lines) == 1:
        return [first]
    half = len(lines) // 2
    return _copy_events(cursor, lines[:half], first) + _copy_events(cursor, lines[half:], first + half)


def _unloadable(event: Event) -> Rejection:
    message = "PostgreSQL cannot hold this event; please report it with its body, the contract should have refused it."
    return rejects.bounded(Rejection("unloadable", message, event.received_at, 0, contract.encode(event).decode()))


def copy(cursor: Cursor, table: str, columns: tuple[str, ...], lines: list[bytes]) -> None:
    """COPY lines into a table."""
    command = sql.SQL("copy {} ({}) from stdin with ({})").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(copy_format.OPTIONS)
    )
    cursor.copy_expert(command, io.BytesIO(b"\n".join(lines)), 1 << 20)
