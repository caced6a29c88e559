"""Load raw hours: list them, subtract the manifest, read what is unseen, stage it, merge it. One transaction per batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter

from obstore.store import ObjectStore

from clickstream_dagster.raw import objects
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.decode import Decoded, decode_object
from clickstream_dagster.raw.erased import Erased
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.raw.packs.listing import packs_among, with_members
from clickstream_dagster.raw.prepare import Group, ahead, groups
from clickstream_dagster.warehouse import changes, labels
from clickstream_dagster.warehouse.connection import Connection, commit_unwaited, held, take_lock, transaction
from clickstream_dagster.warehouse.erasing import erased_ids
from clickstream_dagster.warehouse.merge import Loaded, forget_seen, merge
from clickstream_dagster.warehouse.packing import packs
from clickstream_dagster.warehouse.stage import create_staging, stage
from clickstream_dagster.warehouse.unseen import unseen_objects

#: The lock that loads share, and that whoever takes objects out of the store has for himself.
LISTED = "listed objects"


def load_hours(
    connection: Connection,
    store: ObjectStore,
    start: datetime,
    end: datetime,
    on_batch: Callable[[Loaded, int], None] = lambda loaded, total: None,
    is_closing: bool = True,
    is_one_batch: bool = False,
) -> Loaded:
    """Load what is unseen in the hours from `start` up to `end`, and enter these hours as loaded.

    An hour that has ended is closed by it, unless `is_closing` is False: then it stays open whatever the clock says.
    `on_batch` is told, after each commit, what is loaded so far and how many objects there are in all. With `is_one_batch` all
    of it is one transaction, however large.
    """
    listed_at = datetime.now(UTC)
    total = Loaded()
    # What is listed here must not be taken back before it is loaded.
    with held(connection, LISTED, is_shared=True):
        erased = erased_ids.known(connection, store)
        stored, unopened = objects.list_as_stored(store, start, end), set[str]()
        listed = with_members(store, stored, packs.known(connection), unopened.add)
        unseen = list(unseen_objects(connection, store, listed))
        with closing(ahead(_prepared(store, unseen, erased, is_one_batch))) as prepared:
            for _, batch in groupby(prepared, key=itemgetter(0)):
                total += load_batch(connection, (group for _, group in batch))
                on_batch(total, len(unseen))
        packs.enter(connection, packs_among(stored, unopened))
        _enter_hours(connection, start, end, listed_at, is_closing)
    return total


def _prepared(
    store: ObjectStore, unseen: list[RawObject], erased: Erased, is_one_batch: bool
) -> Iterator[tuple[int, Group]]:
    """Each group with the number of its batch."""
    for number, batch in enumerate(objects.batches(unseen)):
        for group in groups(decoded(store, batch, erased)):
            yield 0 if is_one_batch else number, group


def decoded(store: ObjectStore, batch: list[RawObject], erased: Erased) -> Iterator[Decoded]:
    """What a batch of objects holds of those who were not erased."""
    return (part for body in read(store, batch) for part in decode_object(body, erased))


def load_batch(connection: Connection, batch: Iterable[Group]) -> Loaded:
    """Load the groups of a batch of objects in one transaction."""
    with transaction(connection) as cursor:
        commit_unwaited(cursor)  # the entry of the hours waits for all of them
        create_staging(cursor)
        seen = stage(cursor, batch)
        # From here on one load at a time: a merge must see every merge before it.
        take_lock(cursor, "clickstream_events")
        forget_seen(cursor)
        labels.add(cursor, seen)
        return merge(cursor)


def _enter_hours(connection: Connection, start: datetime, end: datetime, listed_at: datetime, is_closing: bool) -> None:
    """An hour that was listed after its end is closed: it is loaded whole, but for objects that come late."""
    hours = "select generate_series(%s::timestamptz, %s::timestamptz - interval '1 hour', interval '1 hour')"
    with transaction(connection) as cursor:
        cursor.execute(
            f"""
            insert into loaded_hours (partition_hour, is_closed, listed_at)
            select hour, %s and hour + interval '1 hour' <= %s, %s from ({hours}) as listed (hour)
            on conflict (partition_hour) do update
            set is_closed = loaded_hours.is_closed or excluded.is_closed, loaded_at = now(),
                listed_at = greatest(loaded_hours.listed_at, excluded.listed_at)
            """,
            (is_closing, listed_at, listed_at, start, end),
        )
        changes.owe_keys(cursor, "etl_ledger", hours, start, end)
