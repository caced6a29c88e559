"""The dashboard's way to the warehouse: read-only, a few connections, off the event loop, cached until the data changes."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
import psycopg2

#: Threads, and so connections, of one dashboard process.
CONNECTIONS = 4
TIMEOUT_SECONDS = 10
CONNECT_SECONDS = 3
#: How often the warehouse is asked whether anything has changed.
VERSION_SECONDS = 5
#: Results are small; this many pages of them are kept.
CACHED_RESULTS = 1_000
MOST_ROWS = 5_000

#: The WHERE clause of a period, and of the chosen segments, for any table that has these columns. `View.parameters` binds it.
PERIOD = "local_date between %(start)s and %(end)s"
SEGMENT = """(%(bots)s or not is_bot)
    and (%(channels)s::text[] is null or channel = any(%(channels)s))
    and (%(devices)s::text[] is null or coalesce(device_type, '(none)') = any(%(devices)s))
    and (%(countries)s::text[] is null or coalesce(country, '(none)') = any(%(countries)s))"""
#: Of rows of one currency each (`is_own`: the shop's), the revenue in the others, in words: 1,234.50 EUR, 20.00 GBP.
IN_OTHER_CURRENCIES = """string_agg(to_char(revenue, 'FM999,999,999,999,990.00') || ' ' || currency, ', ' order by currency)
    filter (where not is_own and revenue <> 0)"""

#: Before `public` in the search path, the tables are those of a segment's people.
_OF_PEOPLE = "select set_config('search_path', %s, false), set_config('clickstream.segment', %s, false)"

#: A page's parts are asked side by side: workers of one would take the cores from the others, and add their own start.
_OPTIONS = (
    "-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0 -c random_page_cost=1.1 -c work_mem=64MB "
    f"-c default_transaction_read_only=on -c statement_timeout={TIMEOUT_SECONDS * 1000}"
)
#: A host that is gone says nothing; this many seconds later the connection is given up.
_DEAD_LINE = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 1000 * (TIMEOUT_SECONDS + 2),
}
#: Rows that were ever written, by PostgreSQL's own count: it changes when, and only when, a table does.
_VERSION = """
    select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_stat_user_tables where schemaname = 'public'
"""


class Problem(Exception):
    """A query gave no answer. `title` and `advice` are shown in the card that asked."""

    def __init__(self, title: str, advice: str) -> None:
        super().__init__(title)
        self.title, self.advice = title, advice

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and (self.title, self.advice) == (other.title, other.advice)

    def __hash__(self) -> int:
        return hash((self.title, self.advice))


def dsn(environ: Mapping[str, str] = os.environ) -> str:
    """The reader's connection string, from the variables that the rest of the platform uses."""
    parts = {
        "host": environ.get("DW_PG_HOST", ""),
        "port": environ.get("DW_PG_PORT", "5432"),
        "user": environ.get("DW_PG_READER_USER") or "clickstream_reader",
        "password": environ.get("DW_PG_READER_PASSWORD", ""),
        "dbname": environ.get("DW_PG_DATABASE") or "clickstream_dw",
        "sslmode": "require" if environ.get("DW_PG_SSL", "").lower() == "true" else "prefer",
    }
    given = {name: value for name, value in parts.items() if value}
    return psycopg2.extensions.make_dsn(None, **given, **_DEAD_LINE)


class Warehouse:
    """A few threads with a connection each. The same question asked twice at once is asked once."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="warehouse")
        self._own = threading.local()
        self._answers: OrderedDict[Any, asyncio.Future[pd.DataFrame | Problem]] = OrderedDict()
        #: The loop itself holds a running task by a thread only.
        self._asking: set[asyncio.Task[None]] = set()
        self._version: Any = None
        self._asked_at = 0.0

    async def frame(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The rows of a query; of the people of a segment, where the parameters name one. Raises `Problem`. The frame is shared:
        copy it before changing it."""
        key = (sql, repr(sorted((parameters or {}).items())))
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = asyncio.get_running_loop().create_future()
            if len(self._answers) > CACHED_RESULTS:
                self._answers.popitem(last=False)
            asking = asyncio.create_task(self._answer(key, answer, sql, parameters))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
        found = await asyncio.shield(answer)
        if isinstance(found, Problem):
            raise found.with_traceback(None)
        return found

    async def _answer(
        self, key: Any, answer: asyncio.Future[pd.DataFrame | Problem], sql: str, parameters: Mapping[str, Any] | None
    ) -> None:
        """Keep the rows, not the task: a task holds what it was started in, and so the tab that asked first."""
        try:
            answer.set_result(await self._run(sql, parameters))
        except Exception as error:
            if self._answers.get(key) is answer:
                del self._answers[key]
            answer.set_result(error if isinstance(error, Problem) else defect())
            if not isinstance(error, Problem):
                raise

    async def version(self) -> Any:
        """Changes when the data does; None while the warehouse does not answer. Forgets what it knew on each change."""
        if time.monotonic() - self._asked_at >= VERSION_SECONDS:
            self._asked_at = time.monotonic()
            try:
                version = (await self._run(_VERSION, None)).iat[0, 0]
            except Problem:
                version = None
            if version != self._version:
                self._version = version
                self._answers.clear()
        return self._version

    async def _run(self, sql: str, parameters: Mapping[str, Any] | None) -> pd.DataFrame:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, sql, parameters)

    def _ask(self, sql: str, parameters: Mapping[str, Any] | None) -> pd.DataFrame:
        for attempt in (1, 2):
            is_reused = getattr(self._own, "connection", None) is not None
            try:
                with self._connection().cursor() as cursor:
                    self._ask_of(cursor, (parameters or {}).get("segment", ""))
                    cursor.execute(sql, parameters)
                    rows = cursor.fetchmany(MOST_ROWS)
                    return pd.DataFrame(rows, columns=[column.name for column in cursor.description or ()])
            except psycopg2.Error as error:
                is_lost = self._connection_is_lost()
                if not (is_lost and is_reused and attempt == 1):  # a server that was restarted is asked once more
                    raise problem(error) from error
        raise AssertionError("unreachable")

    def _ask_of(self, cursor: Any, segment: str) -> None:
        """Let this connection ask of the people of a segment, or of everybody again."""
        if self._own.segment != segment:
            self._own.segment = None  # not known, until the server has heard
            cursor.execute(_OF_PEOPLE, ("in_segment, public" if segment else "public", segment))
            self._own.segment = segment

    def _connection(self) -> Any:
        if getattr(self._own, "connection", None) is None:
            self._own.segment = ""
            self._own.connection = psycopg2.connect(
                self._dsn, application_name="clickstream dashboard", connect_timeout=CONNECT_SECONDS, options=_OPTIONS
            )
            self._own.connection.autocommit = True
        return self._own.connection

    def _connection_is_lost(self) -> bool:
        connection = getattr(self._own, "connection", None)
        if connection is None or connection.closed:
            self._own.connection = None
            return True
        return False


async def own_currency(warehouse: Warehouse) -> str:
    """The shop's own."""
    return str((await warehouse.frame("select currency from shop_settings"))["currency"].iat[0])


def problem(error: psycopg2.Error) -> Problem:
    """What to show of an error of PostgreSQL: its kind and the next step, never the query or the server's own words."""
    if isinstance(error, psycopg2.errors.QueryCanceled):
        return Problem("Too slow", f"This took more than {TIMEOUT_SECONDS} seconds. Choose a shorter period.")
    if isinstance(error, psycopg2.errors.UndefinedTable | psycopg2.errors.UndefinedColumn):
        return Problem(
            "Another version", "The warehouse lacks a table that this card reads. Run: clickstream materialize"
        )
    if isinstance(error, psycopg2.errors.InsufficientPrivilege):
        return Problem("No permission", "The dashboard's login may not read this table. Run: clickstream materialize")
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return Problem(
            "No answer", "The warehouse cannot be reached. Is PostgreSQL running? It is tried again by itself."
        )
    return Problem("A defect of ours", f"PostgreSQL refused this card's query (code {error.pgcode}). Please report it.")


def defect() -> Problem:
    """What to show of an error that should not be. The log has its words; the screen never does."""
    return Problem("A defect of ours", "This card failed; the log of the dashboard has the reason. Please report it.")
