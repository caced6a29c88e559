"""Merge what is staged, by event id, and write down what that changes.

Of the copies of an event the one received first counts, in whatever order hours are loaded; all others are recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

from clickstream_dagster.warehouse import changes, first_purchases, runs
from clickstream_dagster.warehouse.connection import Cursor, analyze_if_grown
from clickstream_dagster.warehouse.models import all_models

#: What is loaded into which table, and what it counts as.
_TABLES = (
    ("clickstream_events", "loaded"),
    ("duplicate_events", "duplicate"),
    ("rejected_events", "rejected"),
    ("raw_objects", "objects"),
)


@dataclass
class Loaded:
    """What a load brought: objects, lines received, and where each line went."""

    objects: int = 0
    received: int = 0
    loaded: int = 0
    duplicate: int = 0
    rejected: int = 0
    erased: int = 0

    def __iadd__(self, other: Loaded) -> Loaded:
        for name in vars(other):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


def forget_seen(cursor: Cursor) -> None:
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
        """)


def merge(cursor: Cursor) -> Loaded:
    """Merge the staged copies, and owe the tables what that changes."""
    models = all_models()
    _set_losers_aside(cursor)
    first_purchases.watch(
        cursor,
        """
        select order_key from staged_events where order_key is not null
        union
        select clickstream_events.order_key from losing_copies
        inner join clickstream_events on clickstream_events.event_id = losing_copies.event_id
        where losing_copies.staged_at is null and clickstream_events.order_key is not null
        """,
    )
    cursor.execute("""
        create temporary table displaced_events on commit drop as
        with displaced as (
            delete from clickstream_events using losing_copies
            where losing_copies.staged_at is null and clickstream_events.event_id = losing_copies.event_id
            returning clickstream_events.*
        )
        select * from displaced
        """)
    result, displaced = Loaded(), cursor.rowcount
    for name, field in _TABLES:
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
    analyze_if_grown(cursor, "clickstream_events", result.loaded)
    if result.objects:
        runs.record(cursor, "clickstream_events", result.objects, displaced, result.loaded)
    cursor.execute("select coalesce(sum(line_count), 0), coalesce(sum(erased_count), 0) from staged_objects")
    result.received, result.erased = map(int, cursor.fetchone() or ())
    return result


def _set_losers_aside(cursor: Cursor) -> None:
    """Take every copy off the stage that is not the first of its event, so that what is left there are the events; and note
    the standing events that come after a staged copy. Object key, line and payload settle ties, so that the order of
    loading never does. Of an event that has expired every copy is a duplicate."""
    cursor.execute("""
        set local default_statistics_target = 1;  -- how many there are is all that the planner needs
        analyze staged_events (event_id);
        set local default_statistics_target to default;
        create temporary table contested_events on commit drop as
        select event_id from staged_events group by event_id having count(*) > 1
        union
        select staged_events.event_id from staged_events
        cross join lateral (
            select from clickstream_events where clickstream_events.event_id = staged_events.event_id limit 1
        ) as standing
        union
        select event_id from staged_events inner join expired_events using (event_id);
        analyze contested_events;
        create temporary table losing_copies on commit drop as
        with copies as (
            select
                event_id, partition_hour, object_key, line_number, received_at, payload_hash, source_key, agent_key,
                event_name, page_host, staged_events.ctid as staged_at
            from staged_events
            inner join contested_events using (event_id)
            union all
            select standing.*, null from contested_events
            cross join lateral (
                select
                    event_id, partition_hour, object_key, line_number, received_at, payload_hash, source_key, agent_key,
                    event_name, page_host
                from clickstream_events where clickstream_events.event_id = contested_events.event_id limit 1
            ) as standing
        ),
        ranked as (
            select
                copies.*,
                row_number() over (
                    partition by event_id
                    order by received_at, object_key, line_number, payload_hash, staged_at nulls first
                ) as place
            from copies
        )
        select * from ranked
        where place > 1 or exists (select from expired_events where expired_events.event_id = ranked.event_id);
        delete from staged_events using losing_copies where staged_events.ctid = losing_copies.staged_at
        """)


def _owe(cursor: Cursor) -> None:
    changes.owe_spans(
        cursor,
        """
        select visitor_id, event_timestamp from staged_events
        union all
        select visitor_id, event_timestamp from displaced_events
        """,
    )
    first_purchases.owe(cursor)
    changes.owe_keys(
        cursor,
        "etl_ledger",
        """
        select partition_hour from staged_objects union select partition_hour from displaced_events
        """,
    )
