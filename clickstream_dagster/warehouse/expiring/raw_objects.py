"""Raw objects that are older than the policy leave the store, a day at a time. What is not loaded stays, however old it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from obstore.store import ObjectStore

from clickstream_dagster.raw import places
from clickstream_dagster.raw.objects import list_hours
from clickstream_dagster.raw.packs.changing import change
from clickstream_dagster.raw.packs.index import PackBroken
from clickstream_dagster.raw.raw_object import RawObject
from clickstream_dagster.warehouse.connection import Connection, held, transaction
from clickstream_dagster.warehouse.expiring.policy import Policy
from clickstream_dagster.warehouse.load import LISTED
from clickstream_dagster.warehouse.unseen import unseen_objects

_DAY = timedelta(days=1)


@dataclass
class Removed:
    """Objects that left the store, as they were received, be it in packs, and their bytes. `unloaded` ones are as old, and stay.
    `broken` says of packs what is wrong with them."""

    objects: int = 0
    object_bytes: int = 0
    unloaded: int = 0
    broken: list[str] = field(default_factory=list)


def remove_old(connection: Connection, store: ObjectStore, policy: Policy, *, is_dry_run: bool = False) -> Removed:
    """Remove what is old and in the manifest with just these bytes. Repeating it does what is left."""
    done = Removed()
    for day in places.days_before(store, policy.stored_from):
        try:
            # Nobody may list meanwhile what is then gone, or take an object out of the manifest that holds the only copy.
            with held(connection, LISTED, is_shared=is_dry_run):
                for raws in _by_hour(connection, store, day, policy, done):
                    if not is_dry_run:
                        change(store, {raw.key: None for raw in raws})
                    done.objects += len(raws)
                    done.object_bytes += sum(raw.size for raw in raws)
                if not is_dry_run:
                    _forget_packs(connection, day)
        except PackBroken as error:  # it costs its own day
            done.broken.append(str(error))
    return done


def _by_hour(
    connection: Connection, store: ObjectStore, day: datetime, policy: Policy, done: Removed
) -> Iterator[list[RawObject]]:
    old = [raw for raw in list_hours(store, day, day + _DAY) if policy.is_old(raw.key, raw.hour)]
    unseen = {raw.key for raw in unseen_objects(connection, store, old)}
    done.unloaded += len(unseen)
    for hour in sorted({raw.hour for raw in old}):
        yield [raw for raw in old if raw.hour == hour and raw.key not in unseen]


def _forget_packs(connection: Connection, day: datetime) -> None:
    """Those that are left hold what is not loaded, and are opened again."""
    with transaction(connection) as cursor:
        cursor.execute("delete from raw_packs where partition_hour >= %s and partition_hour < %s", (day, day + _DAY))
