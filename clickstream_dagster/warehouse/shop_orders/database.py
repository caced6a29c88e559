"""The way to the shop's database: read-only, by one query, a few rows at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import new_type, register_type, string_types
from psycopg2.extras import RealDictCursor

from clickstream_dagster.settings import SHOP_STATEMENT_SECONDS, Postgres
from clickstream_dagster.warehouse.connection import Connection

#: So many rows are held at once.
FETCHED_ROWS = 1_000
#: Every value is fetched as its text, and read one order at a time: a time that Python has none for, such as one of the year
#: 20000, would end the fetch.
_AS_TEXT = new_type(tuple(string_types), "AS_TEXT", lambda text, cursor: text)
REQUIRED = ("order_id", "placed_at", "currency", "total")
#: Settings of the transaction, not of the connection: a pool before the database may take none of these at its start.
_BEGIN = """
    select now(), set_config('statement_timeout', %s, true), set_config('timezone', 'UTC', true),
        set_config('clickstream.since', %s, true)
"""


class ShopUnreachable(RuntimeError):
    """No connection to the shop's database; the message says where to and what to do."""


class ShopQueryRefused(RuntimeError):
    """The shop's database does not answer the query of its orders; the message says why and what to do."""


class Query:
    """The question that the shop's database is asked for its orders."""

    def __init__(self, shop: Postgres, path: Path | None) -> None:
        """Raises `ShopQueryRefused` for a file that cannot be read."""
        try:
            text = (
                path.read_text("utf-8-sig")
                if path
                else files("clickstream_dagster").joinpath("shop_orders.sql").read_text()
            )
        except (OSError, UnicodeDecodeError) as error:
            raise ShopQueryRefused(f"Cannot read CLICKSTREAM_SHOP_QUERY={path}: name a file in UTF-8.") from error
        self.shop = shop
        self.sql = text.strip().rstrip(";")

    @property
    def hash(self) -> str:
        """Changes with the question and with whom it is asked of: then everything is read anew."""
        asked = f"{self.shop.host}:{self.shop.port}/{self.shop.database}\n{self.sql}"
        return hashlib.sha256(asked.encode()).hexdigest()

    @contextmanager
    def asked(self, since: datetime | None) -> Iterator[tuple[datetime, Iterator[Mapping[str, str | None]]]]:
        """The clock of the shop's database, and the rows of what has changed since; all of them without it. Values are texts.
        Raises `ShopUnreachable` or `ShopQueryRefused`."""
        with closing(self._connected()) as connection, connection.cursor("shop_orders", RealDictCursor) as cursor:
            register_type(_AS_TEXT, cursor)
            cursor.itersize = FETCHED_ROWS
            with self._told():
                now = _begin(connection, since)
                cursor.execute(self.sql)
            yield now, self._rows(cursor)

    def _rows(self, cursor: Any) -> Iterator[Mapping[str, str | None]]:
        with self._told():
            for row in cursor:
                if missing := [name for name in REQUIRED if name not in row]:
                    raise ShopQueryRefused(
                        f"The query of the shop's orders gives no column {missing[0]}. It needs {', '.join(REQUIRED)}: see the "
                        "comment in clickstream_dagster/shop_orders.sql."
                    )
                yield row

    def _connected(self) -> Connection:
        shop = self.shop
        try:
            return psycopg2.connect(shop.dsn, application_name="clickstream shop orders", connect_timeout=10)
        except psycopg2.OperationalError as error:
            reason = str(error).strip().splitlines()[0].rpartition("failed: ")[2].rstrip(".")
            raise ShopUnreachable(
                f"Cannot connect to the shop's database at {shop.host}:{shop.port}, database {shop.database!r} as {shop.user!r}: "
                f"{reason}. Check the SHOP_PG_* variables, and that it lets this host in."
            ) from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except psycopg2.Error as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ShopQueryRefused(
                f"The shop's database does not answer the query of its orders: {said}. Let {self.shop.user!r} select what it "
                "reads, or name a query for other tables in CLICKSTREAM_SHOP_QUERY. What was read before stands."
            ) from None


def _begin(connection: Connection, since: datetime | None) -> datetime:
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    with connection.cursor() as cursor:
        moment = since.isoformat() if since else "-infinity"
        cursor.execute(_BEGIN, (f"{SHOP_STATEMENT_SECONDS}s", moment))
        [now, *_] = cursor.fetchone()  # type: ignore[misc]
    assert isinstance(now, datetime)
    return now
