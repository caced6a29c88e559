"""Take whole objects out of the tables, and owe whatever that changes, as after a load: for whoever takes something out of the
store. Works on `gone_objects` (object_key, partition_hour), a temporary table.

Of an event that came in other objects too, another copy counts from then on. Only its object holds what it says, so these
objects leave the tables as well (`reread_objects`), stay in the store, and are to be loaded again.
"""

from __future__ import annotations

from clickstream_dagster.warehouse import changes, first_purchases, labels
from clickstream_dagster.warehouse.connection import Cursor


def note_other_copies(cursor: Cursor) -> None:
    """Note the objects whose copies come to count when the objects in `gone_objects` leave."""
    cursor.execute("""
        analyze gone_objects;
        create temporary table reread_objects on commit drop as
        select distinct duplicate_events.object_key, duplicate_events.partition_hour
        from gone_objects
        inner join clickstream_events
            on clickstream_events.partition_hour = gone_objects.partition_hour
            and clickstream_events.object_key = gone_objects.object_key
        inner join duplicate_events on duplicate_events.event_id = clickstream_events.event_id
        where duplicate_events.object_key not in (select object_key from gone_objects);
        """)


_NONE = "select null::uuid as event_id where false"


def take_away(cursor: Cursor, also: str = _NONE) -> int:
    """Take them out of the tables, and besides the events that a select of their ids gives; how many events left."""
    left = take_lines(cursor, also)
    _delete(cursor, "raw_objects")
    return left["clickstream_events"]


def take_lines(cursor: Cursor, also: str = _NONE) -> dict[str, int]:
    """The same, but for their rows in the manifest; how many rows left each table."""
    cursor.execute(f"""
        create temporary table taken_objects on commit drop as
        table gone_objects union table reread_objects;
        analyze taken_objects;
        create temporary table taken_events on commit drop as
        select clickstream_events.event_id, clickstream_events.event_name, clickstream_events.order_key
        from taken_objects inner join clickstream_events using (partition_hour, object_key)
        union
        select event_id, event_name, order_key from ({also}) as also inner join clickstream_events using (event_id);
        analyze taken_events
        """)
    first_purchases.watch(cursor, "select distinct order_key from taken_events where order_key is not null")
    cursor.execute("""
        create temporary table removed_events on commit drop as
        with removed as (
            delete from clickstream_events using taken_events
            where clickstream_events.event_id = taken_events.event_id
            returning clickstream_events.*
        )
        select event_id, visitor_id, user_id, event_timestamp, source_key, agent_key, page_host from removed
        """)
    left = {"clickstream_events": cursor.rowcount}
    cursor.execute("""
        create temporary table removed_labels on commit drop as
        select source_key, agent_key, page_host as shop_host from removed_events
        union
        select source_key, agent_key, shop_host from taken_objects inner join duplicate_events using (partition_hour, object_key)
        """)
    left |= {table: _delete(cursor, table) for table in ("duplicate_events", "rejected_events")}
    _owe(cursor)
    labels.forget(cursor)
    return left


def _delete(cursor: Cursor, table: str) -> int:
    cursor.execute(f"""
        delete from {table} using taken_objects
        where {table}.partition_hour = taken_objects.partition_hour and {table}.object_key = taken_objects.object_key
        """)
    return cursor.rowcount


def _owe(cursor: Cursor) -> None:
    """As after a load (`merge.py`): the sessions around what left, and around the purchase that is now the first of its order."""
    changes.owe_spans(cursor, "select visitor_id, event_timestamp from removed_events")
    first_purchases.owe(cursor)
    changes.owe_keys(cursor, "etl_ledger", "select distinct partition_hour from taken_objects")
