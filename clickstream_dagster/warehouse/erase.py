"""Take those who were erased out of the store and the tables, whatever came of their lines, and owe whatever that changes.

An object with a line of theirs is written again without it, in its place, and all that came of the object is loaded again, in
one transaction. So the tables come out as if the line had never been there; and since the manifest knows the new
bytes before they are written, no load takes them for new, wherever this is cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from obstore.store import ObjectStore

from clickstream_dagster.raw.erased import Erased
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.raw.prepare import groups
from clickstream_dagster.warehouse import erased_ids, labels, lost_objects
from clickstream_dagster.warehouse.clean_objects import Cleaned, clean, stored
from clickstream_dagster.warehouse.connection import Connection, Cursor, held, take_lock, transaction
from clickstream_dagster.warehouse.load import LISTED, decoded
from clickstream_dagster.warehouse.merge import forget_seen, merge
from clickstream_dagster.warehouse.stage import create_staging, stage
from clickstream_dagster.warehouse.take_away import note_other_copies, take_away
from clickstream_dagster.warehouse.their_lines import THEIRS, Found, Suspect, batches, find


Counts = dict[datetime, tuple[int, int, int]]


@dataclass(frozen=True)
class Receipt:
    """What an erasure took out, without a word of whom."""

    receipt_id: str
    erased_at: datetime
    lines: int
    events: int
    duplicates: int
    rejected: int
    objects_rewritten: int
    objects_removed: int
    hours: int


def erase(
    connection: Connection,
    store: ObjectStore,
    ids: Iterable[tuple[str, str]],
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> Receipt:
    """Erase whoever has these ids (each with its kind), for good. Killed anywhere and run again, it does the rest; run twice, it
    finds nothing. `on_batch` is told of the objects that are done, and how many there are."""
    with held(connection, LISTED):  # a load that goes on does not know of them
        receipt = erased_ids.add(connection, store, ids)
    sweep(connection, store, receipt, on_batch)
    return receipt_of(connection, receipt)


def sweep(
    connection: Connection,
    store: ObjectStore,
    receipt: UUID,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Take out whatever is left, or has come back, of anybody who was ever erased, and count it on this receipt."""
    erased = erased_ids.known(connection, store)
    found = find(connection, erased)
    done = 0
    for batch in batches(found.suspects):
        with held(connection, LISTED):
            cleaned = clean(connection, store, batch, erased)
            if cleaned.whole or cleaned.lost:
                with transaction(connection) as cursor:
                    take_lock(cursor, "clickstream_events")
                    _take_out(cursor, store, batch, cleaned, found, erased, receipt)
        done += len(batch)
        on_batch(done, len(found.suspects))


def receipt_of(connection: Connection, receipt: UUID) -> Receipt:
    """The receipt as it stands in the warehouse."""
    with transaction(connection) as cursor:
        columns = ", ".join(field.name for field in fields(Receipt))
        cursor.execute(f"select {columns} from erasures where receipt_id = %s", (str(receipt),))
        return Receipt(*cursor.fetchone())  # type: ignore[misc]


def _take_out(
    cursor: Cursor,
    store: ObjectStore,
    batch: list[Suspect],
    cleaned: Cleaned,
    found: Found,
    erased: Erased,
    receipt: UUID,
) -> None:
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
