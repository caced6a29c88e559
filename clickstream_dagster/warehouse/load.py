"""Load raw objects: COPY into staging, merge by event id, and write down what that changes. One transaction per batch.

Of the copies of an event the one received first counts, in whatever order hours are loaded; all others are recorded.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg2
from obstore.store import ObjectStore
from psycopg2 import sql

from clickstream_dagster.raw import objects, rows
from clickstream_dagster.raw.decode import Decoded, decode_object
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import LOCK_CLASS, Connection, Cursor, analyze_if_grown, transaction
from clickstream_dagster.warehouse.models import all_models
from ingest_lambda import contract
from ingest_lambda.contract import Event, Rejection


@dataclass
class Loaded:
    """What a load brought: objects, lines received, and where each line went."""

    objects: int = 0
    received: int = 0
    loaded: int = 0
    duplicate: int = 0
    rejected: int = 0

    def __iadd__(self, other: Loaded) -> Loaded:
        for name in vars(other):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


def load_hours(
    connection: Connection,
    store: ObjectStore,
    start: datetime,
    end: datetime,
    own_hosts: tuple[str, ...] = (),
    on_batch: Callable[[Loaded, int], None] = lambda loaded, total: None,
) -> Loaded:
    """Load what is unseen in the hours from `start` up to `end`, and enter these hours as loaded.

    `on_batch` is told, after each commit, what is loaded so far and how many objects there are in all.
    """
    listed_at = datetime.now(UTC)
    unseen = unseen_objects(connection, objects.list_hours(store, start, end))
    total = Loaded()
    for batch in objects.batches(unseen):
        decoded = (decode_object(raw, data) for raw, data in objects.read(store, batch))
        total += load_batch(connection, decoded, own_hosts)
        on_batch(total, len(unseen))
    _enter_hours(connection, start, end, listed_at)
    return total


def unseen_objects(connection: Connection, listed: list[RawObject]) -> list[RawObject]:
    """What is listed and not in the manifest."""
    with transaction(connection) as cursor:
        cursor.execute("create temporary table listed (object_key text, etag text) on commit drop")
        _copy(cursor, "listed", ("object_key", "etag"), [rows.line((raw.key, raw.etag)) for raw in listed])
        cursor.execute("select object_key, etag from listed inner join raw_objects using (object_key, etag)")
        seen = set(cursor.fetchall())
    return [raw for raw in listed if (raw.key, raw.etag) not in seen]


def load_batch(connection: Connection, batch: Iterable[Decoded], own_hosts: tuple[str, ...] = ()) -> Loaded:
    """Load decoded objects in one transaction."""
    with transaction(connection) as cursor:
        _create_staging(cursor)
        _stage(cursor, batch, own_hosts)
        # From here on one load at a time: a merge must see every merge before it.
        cursor.execute("select pg_advisory_xact_lock(%s, hashtext('clickstream_events'))", (LOCK_CLASS,))
        _forget_seen(cursor)
        return _merge(cursor)


def _create_staging(cursor: Cursor) -> None:
    cursor.execute("""
        create temporary table staged_events (like clickstream_events) on commit drop;
        create temporary table staged_rejects (like rejected_events) on commit drop;
        create temporary table staged_objects (like raw_objects) on commit drop;
        alter table staged_objects alter column loaded_at drop not null;
        """)


def _stage(cursor: Cursor, batch: Iterable[Decoded], own_hosts: tuple[str, ...]) -> None:
    decoded = list(batch)
    staged = [
        (origin, place, row) for origin in decoded for place, row in enumerate(rows.event_rows(origin, own_hosts))
    ]
    poison = _copy_events(cursor, staged)
    for origin, place in sorted(poison, key=lambda found: -found[1]):
        number, event = origin.events.pop(place)
        origin.rejects.append((number, _unloadable(event)))
    _copy(
        cursor, "staged_rejects", rows.REJECT_COLUMNS, [row for origin in decoded for row in rows.reject_rows(origin)]
    )
    _copy(cursor, "staged_objects", rows.OBJECT_COLUMNS, [rows.object_row(origin) for origin in decoded])


def _copy_events(cursor: Cursor, staged: list[tuple[Decoded, int, str]]) -> list[tuple[Decoded, int]]:
    """COPY the events. The contract lets nothing through that a column cannot hold; should it ever, the poison is found
    by halves and returned, so that it costs only itself."""
    cursor.execute("savepoint before_copy")
    try:
        _copy(cursor, "staged_events", rows.EVENT_COLUMNS, [row for _, _, row in staged])
        return []
    except psycopg2.DataError:
        cursor.execute("rollback to savepoint before_copy")
    if len(staged) == 1:
        return [staged[0][:2]]
    half = len(staged) // 2
    return _copy_events(cursor, staged[:half]) + _copy_events(cursor, staged[half:])


def _unloadable(event: Event) -> Rejection:
    message = "PostgreSQL cannot hold this event; please report it with its body, the contract should have refused it."
    return Rejection("unloadable", message, event.received_at, 0, contract.encode(event).decode())


def _copy(cursor: Cursor, table: str, columns: tuple[str, ...], lines: list[str]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    command = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), names)
    cursor.copy_expert(command, io.StringIO("".join(lines)), 1 << 20)


def _forget_seen(cursor: Cursor) -> None:
    """Objects that another run has loaded meanwhile, or that only changed their etag, bring nothing."""
    cursor.execute("""
        update raw_objects set etag = staged_objects.etag from staged_objects
        where raw_objects.object_key = staged_objects.object_key
            and raw_objects.content_hash = staged_objects.content_hash
            and raw_objects.etag <> staged_objects.etag;
        create temporary table seen_objects on commit drop as
        select object_key from staged_objects inner join raw_objects using (object_key, content_hash);
        delete from staged_events using seen_objects where staged_events.object_key = seen_objects.object_key;
        delete from staged_rejects using seen_objects where staged_rejects.object_key = seen_objects.object_key;
        delete from staged_objects using seen_objects where staged_objects.object_key = seen_objects.object_key;
        analyze staged_events;
        """)


def _merge(cursor: Cursor) -> Loaded:
    models = all_models()
    cursor.execute(f"create temporary table winning_events on commit drop as {models['clickstream_events'].sql}")
    cursor.execute("""
        analyze winning_events;
        create temporary table displaced_events on commit drop as
        with displaced as (
            delete from clickstream_events using winning_events
            where clickstream_events.event_id = winning_events.event_id returning clickstream_events.*
        )
        select * from displaced
        """)
    events = ", ".join(rows.EVENT_COLUMNS)
    cursor.execute(f"insert into clickstream_events ({events}) select {events} from winning_events")
    result = Loaded(loaded=cursor.rowcount)
    analyze_if_grown(cursor, "clickstream_events", result.loaded)
    for name, field in (("duplicate_events", "duplicate"), ("rejected_events", "rejected"), ("raw_objects", "objects")):
        columns = ", ".join(models[name].column_names)
        cursor.execute(f"insert into {name} ({columns}) {models[name].sql}")
        setattr(result, field, cursor.rowcount)
    cursor.execute("""
        update duplicate_events set payload_differs = duplicate_events.payload_hash <> clickstream_events.payload_hash
        from displaced_events
        inner join clickstream_events on clickstream_events.event_id = displaced_events.event_id
        where duplicate_events.event_id = displaced_events.event_id
        """)
    _owe(cursor)
    cursor.execute("select coalesce(sum(line_count), 0) from staged_objects")
    result.received = int(cursor.fetchone()[0])  # type: ignore[index]
    return result


def _owe(cursor: Cursor) -> None:
    cursor.execute("""
        create temporary table touched_events on commit drop as
        select visitor_id, event_timestamp, order_key, partition_hour from winning_events
        union all
        select visitor_id, event_timestamp, order_key, partition_hour from displaced_events
        """)
    # All purchase events of an order are touched together: which of them is the order may change with any of them.
    changes.owe_spans(
        cursor,
        """
        select visitor_id, event_timestamp from touched_events
        union all
        select visitor_id, event_timestamp from clickstream_events
        where order_key in (select order_key from touched_events where order_key is not null)
        """,
    )
    orders = "select distinct order_key from touched_events where order_key is not null"
    changes.owe_keys(cursor, "fact_orders", orders)
    changes.owe_keys(
        cursor,
        "etl_ledger",
        """
        select partition_hour from staged_objects union select partition_hour from displaced_events
        """,
    )


def _enter_hours(connection: Connection, start: datetime, end: datetime, listed_at: datetime) -> None:
    """An hour that was listed after its end is closed: it is loaded whole, but for objects that come late."""
    hours = "select generate_series(%s::timestamptz, %s::timestamptz - interval '1 hour', interval '1 hour')"
    with transaction(connection) as cursor:
        cursor.execute(
            f"""
            insert into loaded_hours (partition_hour, is_closed)
            select hour, hour + interval '1 hour' <= %s from ({hours}) as listed (hour)
            on conflict (partition_hour) do update
            set is_closed = loaded_hours.is_closed or excluded.is_closed, loaded_at = now()
            """,
            (listed_at, start, end),
        )
        changes.owe_keys(cursor, "etl_ledger", hours, start, end)
