"""Bring the lake up to date with the tables, and put right what killed runs and restored backups have left in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import obstore
from obstore.store import ObjectStore

from clickstream_dagster.raw.packs.changing import delete
from clickstream_dagster.raw.versions import remove_older
from clickstream_dagster.warehouse.connection import Connection, transaction, try_lock
from clickstream_dagster.warehouse.lake import parquet
from clickstream_dagster.warehouse.lake.hours import LakeHour, all_hours, begin, tables
from clickstream_dagster.warehouse.lake.one_hour import Written, write_hour
from ingest_lambda import landing

#: A process that writes and says nothing to the database for so long is frozen.
_SILENCE_SECONDS = 3_600


class AlreadyWriting(RuntimeError):
    """Another process writes the lake; the message says what to do."""


def write(
    connection: Connection,
    store: ObjectStore,
    choose: Callable[[list[LakeHour]], Iterable[LakeHour]],
    on_hour: Callable[[Written], object] = lambda done: None,
) -> Written:
    """Write what is owed of the hours that `choose` leaves, and remove what the manifest does not know. Raises `AlreadyWriting`,
    `CannotWrite`."""
    begin(connection)
    return _write(connection, store, choose, on_hour, is_erasing=False)


def refresh(connection: Connection, store: ObjectStore, *, is_erasing: bool = False) -> Written:
    """Write again what has changed of what is written, and nothing else: whoever takes rows out calls this, so that the lake does
    not keep them. Nothing happens where there is no lake. With `is_erasing`, older versions of the objects of these hours go
    too."""
    return _write(
        connection,
        store,
        lambda hours: [hour for hour in hours if hour.written_changes is not None],
        lambda done: None,
        is_erasing=is_erasing,
    )


def _write(
    connection: Connection,
    store: ObjectStore,
    choose: Callable[[list[LakeHour]], Iterable[LakeHour]],
    on_hour: Callable[[Written], object],
    *,
    is_erasing: bool,
) -> Written:
    found, done = tables(connection), Written()
    with try_lock(connection, "lake", _SILENCE_SECONDS) as is_ours:
        if not is_ours:
            raise AlreadyWriting("Another process writes the lake at this moment. Run this again when it has ended.")
        done.removed += _settle(connection, store, is_erasing)
        owed = list(choose([hour for hour in all_hours(connection, found) if hour.is_owed]))
        if not owed:
            return done
        with parquet.opened() as duck:
            for hour in owed:
                write_hour(connection, store, duck, found[hour.model], hour, done, is_erasing)
                on_hour(done)
    return done


def check_writable(connection: Connection) -> None:
    """Raise `ModuleNotFoundError` where there is a lake and nothing here to write it with."""
    with transaction(connection) as cursor:
        cursor.execute("select from lake_hours where object_key is not null limit 1")
        if cursor.fetchone() is not None:
            import duckdb  # noqa: F401


def _settle(connection: Connection, store: ObjectStore, is_erasing: bool) -> int:
    """Remove what a killed run or another warehouse has left, and owe the hours whose object is not there or not whole; how many
    objects went."""
    stored = {meta["path"]: meta["size"] for page in obstore.list(store, prefix=f"{landing.LAKE}/") for meta in page}
    with transaction(connection) as cursor:
        cursor.execute("select object_key, size_bytes from lake_hours where object_key is not null")
        known = dict(cursor.fetchall())
        lost = [key for key, size in known.items() if stored.get(key) != size]
        cursor.execute(
            "update lake_hours set written_changes = 0, object_key = null where object_key = any(%s)", (lost,)
        )
    strays = [key for key, size in stored.items() if known.get(key) != size]
    _remove(store, strays, is_erasing)
    return len(strays)


def _remove(store: ObjectStore, keys: list[str], is_erasing: bool) -> None:
    delete(store, keys)
    if is_erasing:
        remove_older(store, keys)
