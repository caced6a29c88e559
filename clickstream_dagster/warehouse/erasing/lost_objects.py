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
    """Where an object was loaded with several contents, nobody knows by which one a line came: off the fullest."""
    cursor.execute("""
        with lost as (
            select object_key, sum(events)::integer as events, sum(rejects)::integer as rejects
            from lost_lines group by object_key
        ),
        fullest as (
            select distinct on (object_key) object_key, content_hash
            from raw_objects inner join lost using (object_key) order by object_key, line_count desc, content_hash
        )
        update raw_objects set
            line_count = line_count - lost.events - lost.rejects,
            event_count = event_count - lost.events,
            rejected_count = rejected_count - lost.rejects
        from lost inner join fullest using (object_key)
        where raw_objects.object_key = lost.object_key and raw_objects.content_hash = fullest.content_hash;
        insert into changed_keys (model, key)
        select distinct 'etl_ledger', partition_hour::text from lost_lines inner join raw_objects using (object_key);
        delete from raw_objects using lost_lines where raw_objects.object_key = lost_lines.object_key and line_count = 0
        """)
