"""Take lines out of the tables whose objects the store does not hold any more, or not as they were loaded: nothing can be loaded
again from these, so row by row."""

from __future__ import annotations

from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.erasing.their_lines import THEIRS, Found


def note_events(cursor: Cursor, keys: list[str], found: Found) -> None:
    """Note their events in these objects, as `lost_events`."""
    cursor.execute(
        f"""
        create temporary table lost_events on commit drop as
        select event_id, object_key from clickstream_events where object_key = any(%(keys)s) and {THEIRS}
        """,
        {**found.ids, "keys": keys},
    )


def take_rest(cursor: Cursor, keys: list[str], found: Found) -> None:
    """Take out the rest once the events have left, and count the lines off. Copies of what left that nothing stands for any
    more are theirs, or lost."""
    cursor.execute("""
        create temporary table lost_lines on commit drop as
        with lost as (
            delete from duplicate_events using removed_events
            where duplicate_events.event_id = removed_events.event_id
                and not exists (select from clickstream_events where clickstream_events.event_id = removed_events.event_id)
            returning duplicate_events.object_key
        )
        select object_key, 1 as events, 0 as rejects from lost
        union all
        select object_key, 1, 0 from lost_events;
        update duplicate_events set payload_differs = duplicate_events.payload_hash <> clickstream_events.payload_hash
        from removed_events inner join clickstream_events using (event_id)
        where duplicate_events.event_id = removed_events.event_id
        """)
    places = sorted(place for place in found.rejects if place[0] in keys)
    cursor.execute(
        """
        with lost as (
            delete from rejected_events using unnest(%s::text[], %s::uuid[], %s::integer[]) as place (key, content, line)
            where object_key = key and content_hash = content and line_number = line
            returning object_key
        )
        insert into lost_lines select object_key, 0, 1 from lost
        """,
        [list(column) for column in zip(*places, strict=True)] or [[], [], []],
    )
    _count_off(cursor)


def _count_off(cursor: Cursor) -> None:
    """Where an object was loaded with several contents, nobody knows by which one a line came: off the fullest, then the
    next. That the bytes that stand are ours the manifest still says, or a load would take them for new."""
    cursor.execute("""
        create temporary table counted_off on commit drop as
        with lost as (
            select object_key, sum(events)::integer as events, sum(rejects)::integer as rejects
            from lost_lines group by object_key
        ),
        fullest as (
            select
                object_key, content_hash,
                least(event_count, greatest(0, events - coalesce(sum(event_count) over fuller, 0)))::integer as events,
                least(rejected_count, greatest(0, rejects - coalesce(sum(rejected_count) over fuller, 0)))::integer as rejects
            from raw_objects inner join lost using (object_key)
            window fuller as (
                partition by object_key order by line_count desc, content_hash
                rows between unbounded preceding and 1 preceding
            )
        )
        select * from fullest where events + rejects > 0;
        update raw_objects set
            line_count = line_count - counted_off.events - counted_off.rejects,
            event_count = event_count - counted_off.events,
            rejected_count = rejected_count - counted_off.rejects
        from counted_off
        where raw_objects.object_key = counted_off.object_key and raw_objects.content_hash = counted_off.content_hash;
        insert into changed_keys (model, key)
        select distinct 'etl_ledger', partition_hour::text from lost_lines inner join raw_objects using (object_key);
        delete from raw_objects using counted_off
        where raw_objects.object_key = counted_off.object_key and line_count = 0
            and raw_objects.content_hash in (counted_off.content_hash, '00000000-0000-0000-0000-000000000000')
        """)
