"""What lies in the raw store and is not loaded. A look lists no more than what can be new, and holds no more than a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from obstore.store import ObjectStore

from clickstream_dagster.partitions import HOUR, floor_hour, hours_between, ranges
from clickstream_dagster.raw import objects, places
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.raw.packs.listing import Known
from clickstream_dagster.settings import LISTING_GRACE, MAX_LISTED_HOURS, PAGE_KEYS, Settings
from clickstream_dagster.warehouse.connection import Connection, Cursor, transaction
from clickstream_dagster.warehouse.packing import packs

MAX_EXAMPLES = 3
#: A folder's clock ticks a hundred times a second, so what came right after a listing may look as old as it.
_CLOCK_STEP = timedelta(seconds=2)


@dataclass
class Strangers:
    """Objects in no known place: how many, and a few of them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, key: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(key)


@dataclass
class Look:
    """What a look found: objects that are not loaded, by hour, those that no partition can load, and those in no known
    place. `hours` were listed, since `began`."""

    began: datetime
    hours: list[datetime]
    unseen: Counter[datetime] = field(default_factory=Counter)
    outside: Counter[datetime] = field(default_factory=Counter)
    strangers: Strangers = field(default_factory=Strangers)

    def put(self, found: Iterable[RawObject], settings: Settings) -> None:
        """Count objects that are not loaded."""
        last = floor_hour(self.began)
        for raw in found:
            can_load = settings.first_hour <= raw.hour <= last
            (self.unseen if can_load else self.outside)[raw.hour] += 1


def look(connection: Connection, store: ObjectStore, settings: Settings) -> Look:
    """Look where something can be new. In a folder: the hours whose folders were touched since they were listed. In a
    bucket, which does not tell: the hours that were not listed since they have all of their own, and the look-back."""
    began, known = datetime.now(UTC), packs.known(connection)
    listed = _listed_hours(connection)
    folder = objects.folder_of(store)
    if folder:
        touched = places.touched_hours(folder)
        wanted = sorted(hour for hour, moment in touched.items() if not _is_known(listed, hour, moment))
        new = [hour for hour in hours_between(settings.first_hour, began) if hour not in listed]
        found = Look(began, sorted({*wanted, *new}))
    else:
        wanted = _unsettled(listed, settings, began)
        if len(wanted) > MAX_LISTED_HOURS:
            return look_everywhere(connection, store, settings)
        found = Look(began, wanted)
        end = floor_hour(began) + HOUR
        found.put(unseen_objects(connection, store, places.outside(store, settings.first_hour, end, known)), settings)
    found.put(unseen_objects(connection, store, _objects_of(store, wanted, known)), settings)
    return found


def look_everywhere(connection: Connection, store: ObjectStore, settings: Settings) -> Look:
    """Look at each object of the store: the time grows with all that was ever stored, the memory does not."""
    began = datetime.now(UTC)
    found = Look(began, list(hours_between(settings.first_hour, began)))
    everything = objects.list_all(store, found.strangers.add, packs.known(connection))
    found.put(unseen_objects(connection, store, everything), settings)
    folder = objects.folder_of(store)
    for key in places.leftovers(folder) if folder else ():
        found.strangers.add(key)
    return found


def unseen_objects(connection: Connection, store: ObjectStore, listed: Iterable[RawObject]) -> Iterator[RawObject]:
    """What is listed and not in the manifest, a page of keys at a time."""
    rest = iter(listed)
    while page := list(islice(rest, PAGE_KEYS)):
        with transaction(connection) as cursor:
            cursor.execute(
                "select object_key, etag, size_bytes from raw_objects where object_key = any(%s)",
                ([raw.key for raw in page],),
            )
            known = cursor.fetchall()
        seen = {(key, etag) for key, etag, _ in known}
        copied = {(key, size) for key, _, size in known}
        unseen = [raw for raw in page if (raw.key, raw.etag) not in seen]
        same = _recognized(connection, store, [raw for raw in unseen if (raw.key, raw.size) in copied])
        yield from (raw for raw in unseen if raw.key not in same)


def _recognized(connection: Connection, store: ObjectStore, alike: list[RawObject]) -> set[str]:
    """The keys of objects that only have another etag, as a store that was moved or copied gives to all of them: the bytes
    are read and compared by their hash, and nothing is decoded. Of one in a pack the index tells the hash."""
    same: set[str] = set()
    for batch in objects.batches(alike):
        hashes = {raw.key: str(raw.packed.content_hash) for raw in batch if raw.packed}
        small = [raw for raw in batch if not raw.packed]
        hashes |= {body.raw.key: str(body.content_hash) for body in read(store, small)}
        etags = [(raw.key, raw.etag) for raw in batch if raw.key in hashes]
        with transaction(connection) as cursor:
            cursor.execute(
                """
                update raw_objects set etag = found.etag
                from unnest(%s::text[], %s::text[], %s::uuid[]) as found (object_key, etag, content_hash)
                where raw_objects.object_key = found.object_key and raw_objects.content_hash = found.content_hash
                returning raw_objects.object_key
                """,
                ([key for key, _ in etags], [etag for _, etag in etags], [hashes[key] for key, _ in etags]),
            )
            same |= {key for (key,) in cursor.fetchall()}
    return same


def enter_listed(connection: Connection, done: Look, settings: Settings) -> None:
    """Enter the hours of a look, once what it found is loaded. Those that have ended are closed, from the first on that
    ever held an event."""
    hours = [hour for hour in done.hours if settings.first_hour <= hour <= done.began]
    with transaction(connection) as cursor:
        cursor.execute("select min(partition_hour) from loaded_hours where is_closed")
        [(first_closed,)] = cursor.fetchall()
        first = min([*done.unseen, *([first_closed] if first_closed else [])], default=done.began)
        cursor.execute(
            """
            insert into loaded_hours (partition_hour, is_closed, listed_at)
            select hour, hour >= %s and hour + interval '1 hour' <= %s, %s from unnest(%s::timestamptz[]) as listed (hour)
            on conflict (partition_hour) do update
            set is_closed = loaded_hours.is_closed or excluded.is_closed,
                listed_at = greatest(loaded_hours.listed_at, excluded.listed_at)
            """,
            (first, done.began, done.began, hours),
        )
        # An older history makes hours complete that were found empty when nothing lay before them.
        cursor.execute(
            """
            update loaded_hours set is_closed = true
            where not is_closed and partition_hour >= %s and listed_at >= partition_hour + interval '1 hour'
                and listed_at > coalesce(touched_at, '-infinity')
                and partition_hour < (select max(partition_hour) from loaded_hours where is_closed)
            """,
            (first,),
        )


def touch_hours(connection: Connection, hours: Iterable[datetime]) -> None:
    """Have hours of a bucket listed again: something was put into them that their collector did not write."""
    with transaction(connection) as cursor:
        touch(cursor, hours)


def touch(cursor: Cursor, hours: Iterable[datetime]) -> None:
    """The same, in a transaction."""
    cursor.execute(
        """
        insert into loaded_hours (partition_hour, is_closed, touched_at)
        select hour, false, now() from unnest(%s::timestamptz[]) as touched (hour)
        on conflict (partition_hour) do update set touched_at = excluded.touched_at
        """,
        (list(hours),),
    )


def _objects_of(store: ObjectStore, hours: list[datetime], known: Known) -> Iterator[RawObject]:
    for start, end in ranges(hours, 0):
        yield from objects.list_hours(store, start, end, known)


def _listed_hours(connection: Connection) -> dict[datetime, datetime]:
    with transaction(connection) as cursor:
        cursor.execute(
            """
            select partition_hour, listed_at from loaded_hours
            where listed_at > coalesce(touched_at, '-infinity') + interval '1 minute'  -- clocks differ
            """
        )
        return dict(cursor.fetchall())


def _is_known(listed: dict[datetime, datetime], hour: datetime, touched: datetime) -> bool:
    return hour in listed and touched < listed[hour] - _CLOCK_STEP


def _unsettled(listed: dict[datetime, datetime], settings: Settings, now: datetime) -> list[datetime]:
    lookback = now - timedelta(hours=settings.lookback_hours)
    return [
        hour
        for hour in hours_between(settings.first_hour, now)
        if hour >= lookback or hour not in listed or listed[hour] < hour + HOUR + LISTING_GRACE
    ]
