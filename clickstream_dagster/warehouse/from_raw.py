"""A whole warehouse from the raw store: what a disaster leaves, or what a new version is compared with.

It is a load of everything there is, then a rebuild of every table. Since no table depends on the order of loading, what comes
out is byte for byte what the warehouse was, as far as the store still holds what that was made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby, islice

from obstore.store import ObjectStore
from psycopg2.extras import execute_values

from clickstream_dagster.partitions import HOUR, floor_hour, hours_between
from clickstream_dagster.raw import objects
from clickstream_dagster.settings import PAGE_KEYS, Settings
from clickstream_dagster.warehouse import changes, kept
from clickstream_dagster.warehouse.connection import Connection, held, owning, take_lock, transaction
from clickstream_dagster.warehouse.load import LISTED, load_hours
from clickstream_dagster.warehouse.merge import Loaded
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.operations import load_operations
from clickstream_dagster.warehouse.rebuild import Rebuilt, rebuild_all
from clickstream_dagster.warehouse.unseen import Look, enter_listed

#: What is filled besides the models, and comes of the store as they do.
_BESIDES = ("changed_spans", "changed_keys", "loaded_hours", "operational_objects")


@dataclass(frozen=True)
class Standing:
    """What a warehouse holds, and what of it the store does not: to build it anew would lose that."""

    events: int
    lost_events: int
    lost_objects: int


@dataclass
class Built:
    """What was loaded, and the first hour that holds anything."""

    loaded: Loaded
    first_hour: datetime | None


def standing(connection: Connection, store: ObjectStore) -> Standing | None:
    """What stands in the warehouse; None when it is empty."""
    with transaction(connection) as cursor:
        cursor.execute(
            "select coalesce(sum(event_count), 0), count(*) from raw_objects where not has_expired(raw_objects)"
        )
        events, read = cursor.fetchone() or (0, 0)
        if not read:
            return None
        cursor.execute("create temporary table stored_objects (object_key text not null) on commit drop")
        listed = (raw.key for raw in objects.list_all(store))
        while page := [(key,) for key in islice(listed, PAGE_KEYS)]:
            execute_values(cursor, "insert into stored_objects values %s", page, page_size=PAGE_KEYS)
        cursor.execute("""
            analyze stored_objects;
            select coalesce(sum(event_count), 0), count(*) from raw_objects
            where not has_expired(raw_objects)
                and not exists (select from stored_objects where stored_objects.object_key = raw_objects.object_key)
            """)
        lost_events, lost_objects = cursor.fetchone() or (0, 0)
    return Standing(int(events), int(lost_events), lost_objects)


def empty(connection: Connection) -> None:
    """Take everything out that comes of the store. What a person has brought in (campaign_spend) and what the shop says itself
    stay, and what has expired: its objects in the manifest, so that none that is still stored is loaded again, and what it had
    added to the sums. So do objects of which only their count is left: whether they are still stored, nobody knows."""
    stored = {model.name for model in all_models().values() if model.materialized != "view"}
    names = sorted(stored - {"shop_orders"})
    with held(connection, LISTED), transaction(connection) as cursor, owning(cursor):
        for name in sorted(all_models()):
            take_lock(cursor, name)
        cursor.execute("""
            create temporary table expired_objects on commit drop as
            select * from raw_objects where expired_count + erased_count = line_count
            """)
        cursor.execute(f"truncate {', '.join([*names, *_BESIDES])}")
        cursor.execute("insert into raw_objects select * from expired_objects")
        changes.owe_keys(cursor, "etl_ledger", "select distinct partition_hour from expired_objects")
        kept.fill(cursor)


def build(
    connection: Connection,
    store: ObjectStore,
    settings: Settings,
    on_step: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Built:
    """Load all that the store holds, whatever the first partition is, and rebuild every table. Killed anywhere, it is finished
    by any other way to load: an object that is loaded is not loaded twice. `on_step` is told what it is at, and how far."""
    began = datetime.now(UTC)
    stored = Counter(raw.hour for raw in objects.list_all(store) if raw.hour <= floor_hour(began))
    if not stored:
        return Built(Loaded(), None)
    loaded = Loaded()
    for first, end in _days(stored):
        so_far = loaded.objects

        def tell(done: Loaded, _: int, so_far: int = so_far) -> None:
            on_step("objects", so_far + done.objects, stored.total())

        loaded += load_hours(connection, store, first, end, tell)
    load_operations(connection, store)
    done: list[str] = []

    def note(one: Rebuilt) -> None:
        done.append(one.model)
        on_step(one.model, len(done), len(all_models()))

    rebuild_all(connection, note)
    hours = list(hours_between(min(stored), began))
    enter_listed(connection, Look(began, hours, unseen=stored), replace(settings, first_hour=min(stored)))
    return Built(loaded, min(stored))


def _days(hours: Iterable[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """From the first to the last of these hours of each day: what is listed at once."""
    for _, day in groupby(sorted(hours), key=datetime.date):
        of_day = list(day)
        yield of_day[0], of_day[-1] + HOUR
