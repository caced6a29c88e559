"""Events that were received before a horizon leave the tables, and with them the rows of visitors that are made of them.

A step takes some whole objects and settles the facts, all in one transaction while nobody else loads or rebuilds. So what the
facts move by is what expired, and nothing else: the sums stand still, and what they would have moved by is kept (`kept.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clickstream_dagster.settings import EXPIRED_LINES, Postgres, Settings
from clickstream_dagster.warehouse import changes, sums
from clickstream_dagster.warehouse.connection import Connection, Cursor, transaction
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.one_transaction import one_transaction
from clickstream_dagster.warehouse.rebuild import Follow, rebuild
from clickstream_dagster.warehouse.take_away import take_lines


class BooksDoNotBalance(RuntimeError):
    """What is to expire is not what the manifest says; nothing of it has. The message says where to look."""


@dataclass(frozen=True)
class Expired:
    """What a step took: the objects that it is of, events, and all lines, which are duplicates and rejects too."""

    objects: int
    events: int
    lines: int


def expire_some(server: Postgres, settings: Settings, horizon: datetime) -> Expired | None:
    """Take some of what was received before `horizon`, the oldest first; None when there is no more. Killed anywhere, all of it
    is kept or nothing."""
    with one_transaction(server, statement_seconds=settings.statement_seconds) as connection:
        _pay(connection, sums.follow)
        with transaction(connection) as cursor:
            expired = _take(cursor, horizon)
        if expired:
            _pay(connection, sums.keep)
        connection.keep()
        return expired


def _pay(connection: Connection, follow: Follow) -> None:
    """Rebuild what is owed, each table after those it reads."""
    owed = _waiting(connection)
    for model in all_models().values():
        if model.name in owed:
            rebuild(connection, model, follow)
            owed |= _waiting(connection)


def _waiting(connection: Connection) -> set[str]:
    with transaction(connection) as cursor:
        return changes.waiting(cursor)


def _take(cursor: Cursor, horizon: datetime) -> Expired | None:
    _choose(cursor, horizon)
    cursor.execute("select count(*) from gone_objects")
    [(objects,)] = cursor.fetchall()
    if not objects:
        return None
    cursor.execute("""
        create temporary table reread_objects (like gone_objects) on commit drop;
        create temporary table last_copies on commit drop as
        select distinct event_id from gone_objects
        inner join duplicate_events using (partition_hour, object_key)
        inner join expired_events using (event_id)
        """)
    left = take_lines(cursor)
    _remember_events(cursor)
    _remember_orders(cursor)
    _enter(cursor, sum(left.values()))
    return Expired(objects, left["clickstream_events"], sum(left.values()))


def _choose(cursor: Cursor, horizon: datetime) -> None:
    """The objects of the first so many lines, all of which go: by index, so that a step costs no more than it takes."""
    first = [
        f"""
        (select object_key, partition_hour from {table} where partition_hour < %(horizon)s
        order by partition_hour limit %(lines)s)
        """
        for table in ("clickstream_events", "duplicate_events", "rejected_events")
    ]
    cursor.execute(
        f"create temporary table gone_objects on commit drop as {' union '.join(first)}; analyze gone_objects",
        {"horizon": horizon, "lines": EXPIRED_LINES},
    )


def _remember_events(cursor: Cursor) -> None:
    """An event goes with its first copy. It is remembered as long as a later one is among the duplicates: the sums count it
    already. What that copy says nobody can compare any more."""
    cursor.execute("""
        insert into expired_events
        select event_id from removed_events
        where exists (select from duplicate_events where duplicate_events.event_id = removed_events.event_id)
        on conflict do nothing;
        update duplicate_events set payload_differs = true
        from removed_events where duplicate_events.event_id = removed_events.event_id and not payload_differs;
        delete from expired_events using last_copies
        where expired_events.event_id = last_copies.event_id
            and not exists (select from duplicate_events where duplicate_events.event_id = last_copies.event_id)
        """)


def _remember_orders(cursor: Cursor) -> None:
    """An order goes with its last purchase event, and is remembered: a thank-you page that is opened again months later sends it
    as a new event, and the sums count the order already."""
    cursor.execute("""
        insert into expired_orders
        select distinct md5(order_key)::uuid from taken_events
        where event_name = 'purchase' and not exists (
            select from clickstream_events as kept
            where kept.order_key = taken_events.order_key and kept.event_name = 'purchase'
        )
        on conflict do nothing
        """)


def _enter(cursor: Cursor, lines: int) -> None:
    """Have the manifest tell that all lines of these objects have expired, and since when events are kept."""
    cursor.execute("""
        with left_lines as (
            select object_key, content_hash, line_count - erased_count - expired_count as lines
            from gone_objects inner join raw_objects using (object_key, partition_hour)
        ),
        entered as (
            update raw_objects set expired_count = line_count - erased_count from left_lines
            where raw_objects.object_key = left_lines.object_key and raw_objects.content_hash = left_lines.content_hash
        )
        select coalesce(sum(lines), 0) from left_lines
        """)
    [(told,)] = cursor.fetchall()
    if told != lines:
        cursor.execute("select min(partition_hour), max(partition_hour) from gone_objects")
        first, last = cursor.fetchone() or (None, None)
        raise BooksDoNotBalance(
            f"Of the hours from {first:%Y-%m-%dT%H:00Z} to {last:%Y-%m-%dT%H:00Z}, {lines:,} lines stand where the manifest says "
            f"{told:,}. Nothing of them expires until the books balance; clickstream status shows the difference."
        )
    cursor.execute("""
        insert into expiry (events_from) select max(partition_hour) + interval '1 hour' from gone_objects
        on conflict (is_only_row) do update set events_from = greatest(expiry.events_from, excluded.events_from)
        """)
