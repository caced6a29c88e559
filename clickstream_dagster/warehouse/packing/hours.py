"""Pack the small objects of closed hours, and take them away once their pack has proved itself.

Each step is whole or does nothing, and is done again by doing it again: a pack is written behind its index and counts from
then on; it is read back; it is entered; and, after a time, it is read once more before the objects that it was made of go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import obstore
from obstore.store import ObjectStore

from clickstream_dagster.partitions import HOUR, hour_of_prefix
from clickstream_dagster.raw.packs.index import PackBroken
from clickstream_dagster.settings import LISTING_GRACE
from clickstream_dagster.warehouse.connection import Connection, transaction, try_lock
from clickstream_dagster.warehouse.packing.steps import Packed, pack, tidy
from ingest_lambda import landing

#: A process that packs and says nothing to the database for so long is frozen.
_SILENCE_SECONDS = 3_600


class AlreadyPacking(RuntimeError):
    """Another process packs; the message says what to do."""


def pack_hours(
    connection: Connection,
    store: ObjectStore,
    prefixes: list[str],
    grace: timedelta,
    on_prefix: Callable[[Packed], object] = lambda done: None,
    is_dry_run: bool = False,
) -> Packed:
    """Pack what is small under these prefixes of closed hours, and delete what has lain in packs for as long as
    `grace`. `on_prefix` is told after each one what is done so far. Raises `AlreadyPacking`."""
    done, written_before = Packed(), datetime.now(UTC) - grace
    with try_lock(connection, "packing", _SILENCE_SECONDS) as is_ours:
        if not is_ours:
            raise AlreadyPacking("Another process packs at this moment. Run this again when it has ended.")
        for prefix in prefixes:
            try:
                pack(connection, store, prefix, done, is_dry_run)
                tidy(connection, store, prefix, written_before, done, is_dry_run)
            except PackBroken as error:  # it costs its own hour
                done.broken.append(str(error))
            except FileNotFoundError:  # who erases has put another pack in the place of one that was listed
                done.broken.append(f"A pack under {prefix} went while it was read. Run this again.")
            on_prefix(done)
    return done


def packable_prefixes(
    connection: Connection, store: ObjectStore, start: datetime | None = None, end: datetime | None = None
) -> list[str]:
    """The prefixes of closed hours that hold small objects, by one listing, from the hour `start` up to `end`. The collector's
    own layout: whoever writes in another one writes large objects."""
    closed = _closed_hours(connection)
    small: set[str] = set()
    for prefix in _listings(start, end):
        for page in obstore.list(store, prefix=prefix):
            small.update(_prefix(meta["path"]) for meta in page if not landing.pack_of(meta["path"]))
    hours = {prefix: hour for prefix in small if (hour := hour_of_prefix(prefix)) in closed}
    return sorted(
        prefix for prefix, hour in hours.items() if hour and (not start or start <= hour) and (not end or hour < end)
    )


def _prefix(key: str) -> str:
    return key.rpartition("/")[0] + "/"


def _listings(start: datetime | None, end: datetime | None) -> Iterator[str]:
    """What to list: everything, or the days that are asked for."""
    for root in (landing.EVENTS, landing.REJECTED):
        if start is None or end is None:
            yield f"{root}/"
            continue
        midnight = start.replace(hour=0)
        while midnight < end:
            yield landing.day_prefix(midnight, root)
            midnight += timedelta(days=1)


def _closed_hours(connection: Connection) -> set[datetime]:
    """Hours that are loaded whole, and ended so long ago that their collector has written its last."""
    with transaction(connection) as cursor:
        cursor.execute(
            "select partition_hour from loaded_hours where is_closed and not is_run_owed and partition_hour <= %s",
            (datetime.now(UTC) - HOUR - LISTING_GRACE,),
        )
        return {hour for (hour,) in cursor.fetchall()}
