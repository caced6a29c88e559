"""Staging: decoded objects into temporary tables, by COPY, a bounded part at a time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

import psycopg2
from psycopg2 import sql

from clickstream_dagster.raw import rows
from clickstream_dagster.raw.decode import Decoded
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.settings import COPY_BYTES, COPY_LINES
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


@dataclass
class _Object:
    """What was staged of one object so far."""

    raw: RawObject
    content_hash: UUID
    lines: int = 0
    events: int = 0
    rejects: int = 0


def stage(cursor: Cursor, parts: Iterable[Decoded], own_hosts: tuple[str, ...]) -> None:
    """Stage the events, rejects and manifest entries of a batch of objects, whose parts come one after the other."""
    staged: dict[str, _Object] = {}
    for group in _groups(parts):
        _stage_group(cursor, group, own_hosts)
        for part in group:
            found = staged.setdefault(part.raw.key, _Object(part.raw, part.content_hash))
            found.lines += part.line_count
            found.events += len(part.events)
            found.rejects += len(part.rejects)
    entries = [
        rows.object_row(one.raw, one.content_hash, one.lines, one.events, one.rejects) for one in staged.values()
    ]
    copy(cursor, "staged_objects", rows.OBJECT_COLUMNS, entries)


def _groups(parts: Iterable[Decoded]) -> Iterator[list[Decoded]]:
    """Parts as one COPY takes them: those of many small objects, or a few of a large one."""
    group: list[Decoded] = []
    lines = size = 0
    for part in parts:
        group.append(part)
        lines += part.line_count
        size += part.size
        if lines >= COPY_LINES or size >= COPY_BYTES:
            yield group
            group, lines, size = [], 0, 0
    if group:
        yield group


def _stage_group(cursor: Cursor, group: list[Decoded], own_hosts: tuple[str, ...]) -> None:
    staged = [(part, place, row) for part in group for place, row in enumerate(rows.event_rows(part, own_hosts))]
    poison = _copy_events(cursor, staged)
    for part, place in sorted(poison, key=lambda found: -found[1]):
        number, event = part.events.pop(place)
        part.rejects.append((number, _unloadable(event)))
    copy(cursor, "staged_rejects", rows.REJECT_COLUMNS, [row for part in group for row in rows.reject_rows(part)])


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
