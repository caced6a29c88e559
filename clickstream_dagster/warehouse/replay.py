"""Read rejected events once more with the rules of now, after a fix: those that are events leave the rejects for the events.

What is refused follows from the bytes in the store and from the rules of now (`raw/decode.py`). So a replay is what a load of
the same objects would do today, for their rejected lines alone; and a warehouse that is made of the store anew has them too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from obstore.store import ObjectStore

from clickstream_dagster.partitions import ranges
from clickstream_dagster.raw import objects
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.decode import Decoded, decode_object
from clickstream_dagster.raw.erased import Erased
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.raw.prepare import groups
from clickstream_dagster.warehouse import changes, labels, runs
from clickstream_dagster.warehouse.connection import Connection, Cursor, held, take_lock, transaction
from clickstream_dagster.warehouse.erasing import erased_ids
from clickstream_dagster.warehouse.load import LISTED
from clickstream_dagster.warehouse.merge import merge
from clickstream_dagster.warehouse.stage import create_staging, stage

#: One replay at a time: what is rejected must not change while it is read again.
REPLAY = "replay"


@dataclass(frozen=True)
class Wanted:
    """Which rejected events: those of these reasons, or of any, received in the hours from `start` up to `end`."""

    reasons: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None


@dataclass
class Replayed:
    """What a replay did. Of the rejected events that were read again, some are loaded now, some are copies of events that were
    received before, the rest stay rejected. `lost` are those whose object the store does not hold as it was loaded."""

    read: int = 0
    loaded: int = 0
    duplicate: int = 0
    rejected: int = 0
    lost: int = 0

    def __iadd__(self, other: Replayed) -> Replayed:
        for name in vars(other):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


#: Of an object's key and its content: the lines that are wanted rejects. None: all of its lines, which could not be told apart.
Refused = dict[tuple[str, UUID], frozenset[int] | None]

#: An object that cannot be unpacked counts as one line; unpacked, it may have any number.
_IS_UNREADABLE = "line_count = 1 and rejected_count = 1"
_IS_WANTED = """
    (cardinality(%(reasons)s::text[]) = 0 or rejected_events.code = any(%(reasons)s))
    and rejected_events.partition_hour >= coalesce(%(start)s::timestamptz, '-infinity')
    and rejected_events.partition_hour < coalesce(%(end)s::timestamptz, 'infinity')
"""


def replay(
    connection: Connection,
    store: ObjectStore,
    wanted: Wanted,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> Replayed:
    """Read the wanted rejects again; what they are now is written in one transaction for each batch of objects, and owed to the
    rebuilds as after a load. Killed anywhere and run again, it does the rest; run twice, it changes nothing. `on_batch` is told
    how many of how many objects are done."""
    total = Replayed()
    with held(connection, LISTED, is_shared=True), held(connection, REPLAY):
        total.lost = sum(rejected(connection, wanted).values())
        found = _objects(connection, store, wanted)
        erased = erased_ids.known(connection, store)
        done = 0
        for batch in objects.batches(found):
            total += _replay_batch(connection, store, batch, wanted, erased)
            done += len(batch)
            on_batch(done, len(found))
    return total


def rejected(connection: Connection, wanted: Wanted) -> dict[str, int]:
    """How many events stand rejected, by reason."""
    with transaction(connection) as cursor:
        cursor.execute(
            f"select code, count(*) from rejected_events where {_IS_WANTED} group by code order by count(*) desc, code",
            _bound(wanted),
        )
        return dict(cursor.fetchall())


def _objects(connection: Connection, store: ObjectStore, wanted: Wanted) -> list[RawObject]:
    """The objects that hold wanted rejects, as far as they are in the store."""
    with transaction(connection) as cursor:
        cursor.execute(
            f"select distinct partition_hour, object_key from rejected_events where {_IS_WANTED}", _bound(wanted)
        )
        places = cursor.fetchall()
    keys = {key for _, key in places}
    return [
        raw
        for start, end in ranges({hour for hour, _ in places}, 0)
        for raw in objects.list_hours(store, start, end)
        if raw.key in keys
    ]


def _bound(wanted: Wanted) -> dict[str, object]:
    return {"reasons": list(wanted.reasons), "start": wanted.start, "end": wanted.end}


def _replay_batch(
    connection: Connection, store: ObjectStore, batch: Sequence[RawObject], wanted: Wanted, erased: Erased
) -> Replayed:
    with transaction(connection) as cursor:
        create_staging(cursor)
        refused = _refused(cursor, [raw.key for raw in batch], wanted)
        seen = stage(cursor, groups(_read_again(store, batch, refused, erased)))
        take_lock(cursor, "clickstream_events")
        done = _take_rejects(cursor, wanted)
        labels.add(cursor, seen)
        events = done.loaded
        done.loaded = merge(cursor).loaded
        done.duplicate = events - done.loaded
        if events:
            runs.record(cursor, "clickstream_events", done.read, 0, done.loaded)
        return done


def _refused(cursor: Cursor, keys: list[str], wanted: Wanted) -> Refused:
    """Two contents of an object that was written over are told apart by their hash: the store may hold one of them."""
    cursor.execute(
        f"""
        select object_key, content_hash, {_IS_UNREADABLE}, array_agg(line_number)
        from raw_objects inner join rejected_events using (object_key, content_hash)
        where object_key = any(%(keys)s) and {_IS_WANTED}
        group by object_key, content_hash, line_count, rejected_count
        """,
        {**_bound(wanted), "keys": keys},
    )
    return {
        (key, UUID(content)): None if is_unreadable else frozenset(lines)
        for key, content, is_unreadable, lines in cursor.fetchall()
    }


def _read_again(store: ObjectStore, batch: Sequence[RawObject], refused: Refused, erased: Erased) -> Iterator[Decoded]:
    keys = {key for key, _ in refused}
    for body in read(store, [raw for raw in batch if raw.key in keys]):
        place = body.raw.key, body.content_hash
        if place not in refused:
            continue
        lines = refused[place]
        for part in decode_object(body, erased):
            if lines is not None:
                _keep_only(part, lines)
            if part.line_count:
                yield part


def _keep_only(part: Decoded, lines: frozenset[int]) -> None:
    part.events = [(number, event) for number, event in part.events if number in lines]
    part.rejects = [(number, rejection) for number, rejection in part.rejects if number in lines]
    part.erased = [number for number in part.erased if number in lines]
    part.line_count = len(part.events) + len(part.rejects) + len(part.erased)


def _take_rejects(cursor: Cursor, wanted: Wanted) -> Replayed:
    """Take the rejects out that were read again, and have the manifest tell what the staged lines are in their place. All of
    their events are told as loaded; a merge says which are not."""
    cursor.execute(
        f"""
        create temporary table taken_rejects on commit drop as
        with taken as (
            delete from rejected_events using staged_objects
            where rejected_events.object_key = staged_objects.object_key
                and rejected_events.content_hash = staged_objects.content_hash and {_IS_WANTED}
            returning rejected_events.object_key, rejected_events.content_hash
        )
        select object_key, content_hash, count(*)::integer as lines from taken group by object_key, content_hash
        """,
        _bound(wanted),
    )
    cursor.execute("""
        update raw_objects set
            line_count = raw_objects.line_count + staged_objects.line_count - taken_rejects.lines,
            event_count = raw_objects.event_count + staged_objects.event_count,
            rejected_count = raw_objects.rejected_count + staged_objects.rejected_count - taken_rejects.lines,
            erased_count = raw_objects.erased_count + staged_objects.erased_count
        from taken_rejects inner join staged_objects using (object_key, content_hash)
        where raw_objects.object_key = taken_rejects.object_key and raw_objects.content_hash = taken_rejects.content_hash
        """)
    changes.owe_keys(cursor, "etl_ledger", "select distinct partition_hour from staged_objects")
    cursor.execute("""
        select coalesce(sum(line_count), 0), coalesce(sum(event_count), 0), coalesce(sum(rejected_count), 0),
            (select coalesce(sum(lines), 0) from taken_rejects)
        from staged_objects
        """)
    lines, events, rejects, taken = map(int, cursor.fetchone() or ())
    cursor.execute("delete from staged_objects")
    return Replayed(read=lines, loaded=events, rejected=rejects, lost=-taken)
