"""The books: what each hour received and where it went, how fresh the tables are, and what is still owed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from obstore.store import ObjectStore

from clickstream_dagster.partitions import hours_between
from clickstream_dagster.raw import objects
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.settings import Settings
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.packing import packs
from clickstream_dagster.warehouse.unseen import unseen_objects


@dataclass(frozen=True)
class LedgerHour:
    """One hour of the ledger. `difference` is 0 when its books balance."""

    partition_hour: datetime
    objects: int
    received: int
    loaded: int
    duplicate: int
    rejected: int
    rejected_by_code: dict[str, int]
    late: int
    difference: int
    warned: int
    erased: int
    replayed: int
    expired: int


def ledger(connection: Connection, limit: int | None = None) -> list[LedgerHour]:
    """The hours that received anything, latest last; the last `limit` of them."""
    with transaction(connection) as cursor:
        cursor.execute(
            """
            select
                partition_hour, objects, received, loaded, duplicate, rejected, rejected_by_code, late, difference, warned,
                coalesce(erased, 0), replayed, expired
            from etl_ledger where received <> 0 or difference <> 0 order by partition_hour desc limit %s
            """,
            (limit,),
        )
        return [LedgerHour(*row) for row in reversed(cursor.fetchall())]


def freshness(connection: Connection) -> datetime | None:
    """Everything before this moment is loaded: the end of the latest hour that is loaded whole, with every hour before it.
    None when no hour is."""
    with transaction(connection) as cursor:
        cursor.execute("select complete_to from data_freshness")
        [(moment,)] = cursor.fetchall()
    return moment if isinstance(moment, datetime) else None


def anomalies(connection: Connection) -> list[tuple[str, bool]]:
    """What is out of the ordinary in the last day that is loaded whole, in words, the worst first; and whether it goes on."""
    with transaction(connection) as cursor:
        cursor.execute("select sentence, is_going_on from anomalies order by abs(score) desc, sentence")
        return cursor.fetchall()


def open_hour(connection: Connection) -> tuple[datetime, datetime] | None:
    """The hour in progress and the moment that it is loaded to; None when the latest hour that was listed is closed."""
    with transaction(connection) as cursor:
        cursor.execute("""
            select partition_hour, least(listed_at, partition_hour + interval '1 hour'), is_closed
            from loaded_hours where listed_at is not null order by partition_hour desc limit 1
            """)
        found = cursor.fetchone()
    return (found[0], found[1]) if found and not found[2] else None


def count_events(connection: Connection, start: datetime, end: datetime) -> int:
    """How many events the hours from `start` up to `end` hold, whenever they were loaded."""
    with transaction(connection) as cursor:
        cursor.execute(
            "select count(*) from clickstream_events where partition_hour >= %s and partition_hour < %s", (start, end)
        )
        return int(cursor.fetchone()[0])  # type: ignore[index]


def missed_hours(connection: Connection, until: datetime) -> list[datetime]:
    """Closed hours after the freshness and before `until` that nobody has loaded, oldest first."""
    complete_to = freshness(connection)
    if complete_to is None:
        return []
    with transaction(connection) as cursor:
        cursor.execute(
            "select partition_hour from loaded_hours where is_closed and partition_hour >= %s", (complete_to,)
        )
        loaded = {hour for (hour,) in cursor.fetchall()}
    return [hour for hour in hours_between(complete_to, until) if hour not in loaded]


def note_runs(connection: Connection, start: datetime, end: datetime, *, is_owed: bool) -> None:
    """A run of the hours from `start` up to `end` begins, or has succeeded. It is owed in between, whatever ends it."""
    with transaction(connection) as cursor:
        cursor.execute(
            """
            insert into loaded_hours (partition_hour, is_closed, is_run_owed)
            select hour, false, %s
            from generate_series(%s::timestamptz, %s::timestamptz - interval '1 hour', interval '1 hour') as hours (hour)
            on conflict (partition_hour) do update set is_run_owed = excluded.is_run_owed
            """,
            (is_owed, start, end),
        )


def _owed_runs(connection: Connection, until: datetime) -> set[datetime]:
    with transaction(connection) as cursor:
        cursor.execute("select partition_hour from loaded_hours where is_run_owed and partition_hour < %s", (until,))
        return {hour for (hour,) in cursor.fetchall()}


def unseen_in_lookback(
    connection: Connection, store: ObjectStore, settings: Settings, until: datetime
) -> list[RawObject]:
    """Objects of the look-back before `until` that are not loaded: they came late, or their hour was missed. Hours before
    the first partition have no partition to load them with; `clickstream status` shows them as owed."""
    start = max(until - timedelta(hours=settings.lookback_hours), settings.first_hour)
    if start >= until:
        return []
    return list(unseen_objects(connection, store, objects.list_hours(store, start, until, packs.known(connection))))


def owed_hours(connection: Connection, store: ObjectStore, settings: Settings, until: datetime) -> list[datetime]:
    """Hours before `until` that are owed a load, missed or grown since, or a run that has not ended well; oldest first, no
    more than the bound. Hours older than the look-back come after those inside it, so that a gap of months keeps nothing of
    today waiting."""
    late = {raw.hour for raw in unseen_in_lookback(connection, store, settings, until)}
    missed = {*missed_hours(connection, until), *_owed_runs(connection, until)}
    lookback = until - timedelta(hours=settings.lookback_hours)
    found = (hour for hour in late | missed if hour >= settings.first_hour)
    owed = sorted(found, key=lambda hour: (hour < lookback, hour))
    return sorted(owed[: settings.max_owed_hours])
