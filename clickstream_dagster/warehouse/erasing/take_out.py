"""What came of cleaned objects leaves the tables and is loaded again, in one transaction, and a receipt is told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from obstore.store import ObjectStore

from clickstream_dagster.raw.erased import Erased
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.raw.prepare import groups
from clickstream_dagster.warehouse import labels
from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.erasing import lost_objects
from clickstream_dagster.warehouse.erasing.clean_objects import Cleaned, stored
from clickstream_dagster.warehouse.erasing.their_lines import THEIRS, Found, Suspect
from clickstream_dagster.warehouse.load import decoded
from clickstream_dagster.warehouse.merge import forget_seen, merge
from clickstream_dagster.warehouse.stage import create_staging, stage
from clickstream_dagster.warehouse.take_away import note_other_copies, take_away

#: By hour.
Counts = dict[datetime, tuple[int, int, int]]


def take_out(
    cursor: Cursor,
    store: ObjectStore,
    batch: list[Suspect],
    cleaned: Cleaned,
    found: Found,
    erased: Erased,
    receipt: UUID,
) -> None:
    """Take out what came of a batch of objects, and load again what is left of them."""
    whole = [suspect for suspect in batch if suspect.key in cleaned.whole]
    cursor.execute(
        """
        create temporary table gone_objects on commit drop as
        select * from unnest(%s::text[], %s::timestamptz[]) as gone (object_key, partition_hour)
        """,
        ([suspect.key for suspect in whole], [suspect.hour for suspect in whole]),
    )
    note_other_copies(cursor)
    reread = _keep_stored(cursor, store)
    lost_objects.note_events(cursor, cleaned.lost, found)
    before = _count(cursor, cleaned.lost)
    take_away(cursor, also="table lost_events")
    _load_again(cursor, store, [*cleaned.written, *reread], erased)
    lost_objects.take_rest(cursor, cleaned.lost, found)
    after = _count(cursor, cleaned.lost)
    _count_on(cursor, receipt, found, cleaned, before, after)


def _keep_stored(cursor: Cursor, store: ObjectStore) -> list[RawObject]:
    """Of the objects that are to be loaded again, keep those that the store holds as they were loaded."""
    cursor.execute("""
        select object_key, partition_hour, count(*) from reread_objects inner join raw_objects using (object_key, partition_hour)
        where line_count > 0 group by object_key, partition_hour
        """)
    wanted = {key: hour for key, hour, contents in cursor.fetchall() if contents == 1}
    reread = stored(store, wanted)
    cursor.execute("delete from reread_objects where object_key <> all(%s)", ([raw.key for raw in reread],))
    return reread


def _load_again(cursor: Cursor, store: ObjectStore, raws: list[RawObject], erased: Erased) -> None:
    create_staging(cursor)
    seen = stage(cursor, groups(decoded(store, sorted(raws), erased)))
    forget_seen(cursor)
    labels.add(cursor, seen)
    merge(cursor)


def _count(cursor: Cursor, lost: list[str]) -> Counts:
    """By hour: lines, those of erased among them, and rejects in all objects that are touched."""
    cursor.execute(
        """
        with touched as (
            select object_key from gone_objects union select object_key from reread_objects union select unnest(%s::text[])
        ),
        lines as (
            select partition_hour, sum(line_count)::integer as lines, sum(erased_count)::integer as erased
            from touched inner join raw_objects using (object_key) group by partition_hour
        ),
        rejects as (
            select partition_hour, count(*)::integer as rejects
            from touched inner join rejected_events using (object_key) group by partition_hour
        )
        select partition_hour, lines, erased, coalesce(rejects, 0) from lines left join rejects using (partition_hour)
        """,
        (lost,),
    )
    return {hour: (lines, erased, rejects) for hour, lines, erased, rejects in cursor.fetchall()}


def _count_on(cursor: Cursor, receipt: UUID, found: Found, cleaned: Cleaned, before: Counts, after: Counts) -> None:
    """Counted by what the tables lost, so that a run that was cut off and repeated counts each line once."""
    left = [[old - new for old, new in zip(before[hour], after.get(hour, (0, 0, 0)), strict=True)] for hour in before]
    lines, erased, rejected = map(sum, zip(*left, strict=True))
    cursor.execute(f"select count(*) from removed_events where {THEIRS}", found.ids)
    [(events,)] = cursor.fetchall()
    cursor.execute(
        """
        update erasures set
            lines = lines + %s, events = events + %s, duplicates = duplicates + %s, rejected = rejected + %s,
            objects_rewritten = objects_rewritten + %s, objects_removed = objects_removed + %s, hours = hours + %s
        where receipt_id = %s
        """,
        (
            *(lines, events, lines - events - rejected - erased, rejected),
            *(len(cleaned.written), len(cleaned.whole) - len(cleaned.written), sum(1 for hour in left if hour[0])),
            str(receipt),
        ),
    )
