"""The limit of a load: PostgreSQL's own COPY of the very rows that came of it, all indexes kept, in one transaction.

Nothing is decoded, checked or merged, and the text is ready: no loader that fills this table through PostgreSQL is faster.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from parts import fresh_warehouse

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack


def copy_out(stack: Stack, file: Path) -> int:
    """Write the rows of clickstream_events as COPY's text, as they lie. Returns how many there are."""
    with stack.warehouse() as connection, connection.cursor() as cursor, file.open("wb") as text:
        cursor.copy_expert("copy clickstream_events to stdout", text, 1 << 20)
        return int(cursor.rowcount)


def fresh_copy(first: Stack, file: Path) -> float:
    """Seconds of it in an empty warehouse."""
    with fresh_warehouse(first) as stack:
        return copy_in(stack, file)


def copy_in(stack: Stack, file: Path) -> float:
    """Seconds of COPY into a table like it."""
    with stack.warehouse() as connection, file.open("rb") as text:
        with connection, connection.cursor() as cursor:
            cursor.execute("create table like_events (like clickstream_events including all)")
        started = time.perf_counter()
        with connection, connection.cursor() as cursor:
            cursor.copy_expert("copy like_events from stdin", text, 1 << 20)
        return time.perf_counter() - started
