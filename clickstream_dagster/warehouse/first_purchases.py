"""The purchase event that places an order (`first_purchase` in the migrations): when another one becomes it, the sessions of
both are touched."""

from __future__ import annotations

from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import stored_readers


def watch(cursor: Cursor, orders: str) -> None:
    """Note the first purchase of each of the orders (a select of their keys) before something changes."""
    cursor.execute(f"create temporary table named_orders (order_key) on commit drop as {orders}")
    _note(cursor, "firsts_before")


def owe(cursor: Cursor) -> None:
    """After it: owe the sessions of every purchase that was the first of its order or is it now, and the orders themselves to
    each table that reads events by order. An event may change the items of an order whose own row stays the same."""
    _note(cursor, "firsts_after")
    changes.owe_spans(
        cursor,
        """
        select visitor_id, event_timestamp from (table firsts_before except table firsts_after) as lost
        union all
        select visitor_id, event_timestamp from (table firsts_after except table firsts_before) as won
        """,
    )
    for reader in stored_readers("clickstream_events"):
        if reader.key == "order_id":
            changes.owe_keys(cursor, reader.name, "select order_key from named_orders")
    cursor.execute("drop table named_orders, firsts_before, firsts_after")


def _note(cursor: Cursor, table: str) -> None:
    # By the index, a bounded number of steps for each: a client may name an order that has thousands of purchase events.
    cursor.execute(f"""
        create temporary table {table} on commit drop as
        select first.* from named_orders cross join lateral first_purchase(named_orders.order_key) as first
        """)
