"""Take an import back: its objects leave the store and the books, their events leave the tables, and whatever that changes is
owed to the rebuilds, as after a load.

Of an event that came in other objects too, another copy counts from then on. Only its object holds what it says, so the
other objects leave the books as well, stay in the store, and are new to the next load.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from obstore.store import ObjectStore

from clickstream_dagster.partitions import ranges
from clickstream_dagster.raw import objects
from clickstream_dagster.warehouse import runs
from clickstream_dagster.warehouse.connection import Connection, Cursor, held, take_lock, transaction
from clickstream_dagster.warehouse.load import LISTED
from clickstream_dagster.warehouse.take_away import note_other_copies, take_away
from clickstream_dagster.warehouse.unseen import touch


class CannotUnload(RuntimeError):
    """Nothing was taken back; the message says why."""


@dataclass(frozen=True)
class Unloaded:
    """What left the tables. `reread` objects are to be loaded again."""

    objects: int = 0
    events: int = 0
    reread: int = 0


def unload(connection: Connection, store: ObjectStore, name: str, remove: Callable[[], object]) -> Unloaded:
    """Take the import `name` back. `remove` takes its objects out of the store. Killed anywhere and run again, it does the
    rest; run twice, it finds nothing. Raises `CannotUnload`."""
    with held(connection, LISTED):
        with transaction(connection) as cursor:
            _choose(cursor, name)
            _check_stored(cursor, store)
        remove()
        with transaction(connection) as cursor:
            take_lock(cursor, "clickstream_events")
            _choose(cursor, name)
            return _take_away(cursor)


def _choose(cursor: Cursor, name: str) -> None:
    """Note the objects of the import, and those whose copies of its events come to count. What has expired stays in the sums, and
    so its objects stay in the manifest: imported again, they would count twice."""
    cursor.execute(
        """
        create temporary table gone_objects on commit drop as
        select distinct object_key, partition_hour from raw_objects where object_key like %s and not has_expired(raw_objects)
        """,
        (f"%/import-{name}-%",),
    )
    note_other_copies(cursor)


def _check_stored(cursor: Cursor, store: ObjectStore) -> None:
    """What is to be loaded again must be there, as it was loaded."""
    cursor.execute("""
        select object_key, partition_hour, count(*)
        from reread_objects inner join raw_objects using (object_key, partition_hour)
        group by object_key, partition_hour
        """)
    wanted: list[tuple[str, datetime, int]] = cursor.fetchall()
    stored = {
        found.key
        for start, end in ranges({hour for _, hour, _ in wanted}, 0)
        for found in objects.list_hours(store, start, end)
    }
    lost = sorted(key for key, _, contents in wanted if key not in stored or contents > 1)
    if lost:
        raise CannotUnload(
            f"Some events of this import came in {len(lost):,} other objects too, which the store does not hold as they were "
            f"loaded, such as {lost[0]}: without them these events would be lost. Nothing was taken back."
        )


def _take_away(cursor: Cursor) -> Unloaded:
    events = take_away(cursor)
    cursor.execute("select distinct partition_hour from reread_objects")
    touch(cursor, [hour for (hour,) in cursor.fetchall()])
    cursor.execute("select (select count(*) from gone_objects), (select count(*) from reread_objects)")
    gone, reread = cursor.fetchone() or (0, 0)
    if gone:
        runs.record(cursor, "clickstream_events", gone + reread, events, 0)
    return Unloaded(gone, events, reread)
