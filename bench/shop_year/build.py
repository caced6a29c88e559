"""A warehouse with the invented year of a shop, built by the server itself and rebuilt by the product's own code."""

from __future__ import annotations

import itertools
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack
    from clickstream_dagster.warehouse.connection import Cursor

END = datetime(2026, 1, 1, tzinfo=UTC)
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
EVENTS_PER_SESSION = 9.4
SLICES = 40
HERE = Path(__file__).parent
#: A bot's first, then people's, the commonest first.
AGENTS = [
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
]


def shop_year(first: Stack, events: int, since: datetime = BEGIN) -> Stack:
    """The warehouse of a shop with so many events a year, of which it has those since a day; built unless it stands, and
    brought to the version of the code."""
    from clickstream_dagster.stack import Stack
    from clickstream_dagster.warehouse.connection import create_database
    from clickstream_dagster.warehouse.reader import READER_ROLE
    from clickstream_dagster.warehouse.rebuild import rebuild_all

    name = f"shop_{events}_{since:%Y%m%d}"
    stack = Stack(replace(first.settings, postgres=replace(first.server, database=name)))
    if not _stands(first, name):
        create_database(first.server, name)
        _build(stack, name, events, since)
    with stack.warehouse() as connection:
        rebuild_all(connection)
        connection.cursor().execute(f"grant connect on database {name} to {READER_ROLE}")  # a start takes it from all
        connection.commit()
    return stack


def _stands(first: Stack, name: str) -> bool:
    """True when the database was built to its end; what is left of a build that was not is dropped."""
    from clickstream_dagster.warehouse.connection import connect

    connection = connect(first.server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("select shobj_description(oid, 'pg_database') from pg_database where datname = %s", (name,))
        found = cursor.fetchone()
        if found != ("built",):
            cursor.execute(f"drop database if exists {name}")
    connection.close()
    return found == ("built",)


def _build(stack: Stack, name: str, events: int, since: datetime) -> None:
    from clickstream_dagster.warehouse import changes
    from clickstream_dagster.warehouse.connection import transaction
    from clickstream_dagster.warehouse.models import all_models
    from clickstream_dagster.warehouse.rebuild import rebuild_all

    started, models = time.perf_counter(), all_models()
    with stack.warehouse() as connection:
        with transaction(connection) as cursor:
            _invent(cursor, round(events / EVENTS_PER_SESSION), since)
            cursor.execute("analyze")
            for model in ("fact_sessions", "etl_ledger"):
                changes.owe_all(cursor, models[model])
        places = itertools.count()
        rebuild_all(connection, lambda done: tell(f"{name}: {done.model}", next(places), len(models)))
        connection.autocommit = True
        connection.cursor().execute("vacuum analyze")
        connection.cursor().execute(f"comment on database {name} is 'built'")
    print(f"{name}: built in {time.perf_counter() - started:,.0f} s")


def _invent(cursor: Cursor, sessions: int, since: datetime) -> None:
    from clickstream_dagster.warehouse.relabel import agent_row

    values = {"sessions": sessions, "since": since, "end": END, "agents": AGENTS}
    for agent in AGENTS:
        cursor.execute("insert into dim_user_agent values (%s, %s, %s, %s, %s, %s)", agent_row(agent))
    cursor.execute((HERE / "sessions.sql").read_text(), values)
    cursor.execute("select min(n), max(n) + 1 from visits")
    first, last = cursor.fetchone()  # type: ignore[misc]
    edges = [first + (last - first) * place // SLICES for place in range(SLICES + 1)]
    for place in range(SLICES):
        tell("events", place, SLICES)
        cursor.execute((HERE / "events.sql").read_text(), {**values, "first": edges[place], "last": edges[place + 1]})
    tell("books", SLICES, SLICES)
    cursor.execute("analyze clickstream_events")
    cursor.execute((HERE / "books.sql").read_text(), values)


def tell(what: str, done: int, total: int) -> None:
    """A bar of progress; a line for each step where nobody watches."""
    filled = 30 * (done + 1) // max(1, total)
    ends = ("\r", "") if sys.stderr.isatty() else ("", "\n")
    print(
        f"{ends[0]}[{'#' * filled:30}] {time.strftime('%H:%M:%S')} {what:60}", end=ends[1], file=sys.stderr, flush=True
    )
