"""Keep the shop's orders: one reading is one transaction, and what it says of an order takes the place of what stood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from psycopg2 import sql

from clickstream_dagster.raw import copy_format
from clickstream_dagster.settings import COPY_LINES, SHOP_OVERLAP
from clickstream_dagster.warehouse.connection import Connection, Cursor, analyze_if_grown, take_lock, transaction
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.shop_orders.database import Query
from clickstream_dagster.warehouse.shop_orders.order import ShopOrder, of_row
from clickstream_dagster.warehouse.stage import copy
from ingest_lambda.contract import Reject

DATABASE = "database"
#: A whole reading knows all orders since the first one, any other all since the moment that it asked from.
_READ = """
    update shop_readings set read_to = %(now)s, query_hash = %(hash)s, known = known + tstzmultirange(tstzrange(
        least(coalesce(%(since)s, (select min(placed_at) from staged_shop_orders), %(now)s), %(now)s), %(now)s, '[]'
    ))
"""
_FILED = """
    update shop_readings set known = known + tstzmultirange(tstzrange(first_at, last_at, '[]'))
    from (select min(placed_at) as first_at, max(placed_at) as last_at from staged_shop_orders) as told
    where first_at is not null
"""


@dataclass
class Brought:
    """What a reading brought: how many orders, how many of these were new or other than before, and why others were left out.
    `since`: only what has changed since then was asked for."""

    orders: int = 0
    changed: int = 0
    gone: int = 0
    since: datetime | None = None
    left_out: Counter[str] = field(default_factory=Counter)


def read_database(connection: Connection, query: Query, *, is_whole: bool = False) -> Brought:
    """Read from the shop's database what has changed since the last reading, and whole the first time, when the query is
    another one, and when asked to. A whole reading also takes away what the shop does not have any more."""
    with transaction(connection) as cursor:
        take_lock(cursor, "shop_orders")
        cursor.execute("select read_to from shop_readings where query_hash = %s", (query.hash,))
        found = None if is_whole else cursor.fetchone()
        brought = Brought(since=found[0] - SHOP_OVERLAP if found else None)
        with query.asked(brought.since) as (now, rows):
            _stage(cursor, _orders(rows, brought), DATABASE, brought)
        if brought.since is None:
            brought.gone = _take_away(cursor)
        brought.changed = _merge(cursor)
        cursor.execute(_READ, {"now": now, "since": brought.since, "hash": query.hash})
    return brought


def store_file(connection: Connection, orders: Iterable[ShopOrder], name: str) -> Brought:
    """Bring in the orders of a file, which are all that there were from its first one to its last."""
    brought = Brought()
    with transaction(connection) as cursor:
        take_lock(cursor, "shop_orders")
        _stage(cursor, orders, name, brought)
        brought.changed = _merge(cursor)
        cursor.execute(_FILED)
    return brought


def _orders(rows: Iterable[Mapping[str, str | None]], brought: Brought) -> Iterator[ShopOrder]:
    """An order that cannot be compared costs itself alone."""
    for row in rows:
        try:
            yield of_row(row)
        except Reject as reject:
            brought.left_out[reject.message] += 1


def _stage(cursor: Cursor, orders: Iterable[ShopOrder], source: str, brought: Brought) -> None:
    """Stage them, a bounded number at a time. Of two rows of one order the later one counts."""
    columns = (*ShopOrder._fields, "source")
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    cursor.execute(
        sql.SQL(
            "create temporary table staged_shop_orders on commit drop as select {} from shop_orders with no data"
        ).format(names)
    )
    waiting = iter(orders)
    while lines := [copy_format.line((*order, source)) for order in islice(waiting, COPY_LINES)]:
        copy(cursor, "staged_shop_orders", columns, lines)
        brought.orders += len(lines)
    cursor.execute("""
        create index on staged_shop_orders (order_id);
        analyze staged_shop_orders;
        delete from staged_shop_orders as earlier using staged_shop_orders as later
        where earlier.order_id = later.order_id and earlier.ctid < later.ctid
        """)


def _merge(cursor: Cursor) -> int:
    """Put what is staged into its place; how many orders that changed."""
    model = all_models()["shop_orders"]
    names = [sql.Identifier(name) for name in model.column_names]
    cursor.execute(
        sql.SQL("""
            insert into shop_orders as standing ({columns}) {select}
            on conflict (order_id) do update set ({columns}) = row({told})
            where standing.* is distinct from excluded.*
            """).format(
            columns=sql.SQL(", ").join(names),
            told=sql.SQL(", ").join(sql.SQL("excluded.{}").format(name) for name in names),
            select=sql.SQL(model.sql),
        )
    )
    changed = cursor.rowcount
    analyze_if_grown(cursor, "shop_orders", changed)
    return changed


def _take_away(cursor: Cursor) -> int:
    """The orders that the shop's database had and has no more; how many."""
    cursor.execute(
        """
        delete from shop_orders as standing
        where source = %s and not exists (select from staged_shop_orders as staged where staged.order_id = standing.order_id)
        """,
        (DATABASE,),
    )
    return cursor.rowcount
