"""Take out what is older than the policy keeps: raw objects, then rejected events, then events with visitors' rows, and these
from the lake.

In this order, so that no line outlives in the store what the tables know of it: an erasure finds a person's lines by the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from obstore.store import ObjectStore

from clickstream_dagster.settings import Postgres, Settings
from clickstream_dagster.warehouse.connection import Connection, transaction, try_lock
from clickstream_dagster.warehouse.expiring import raw_objects, rejects
from clickstream_dagster.warehouse.expiring.events import expire_some
from clickstream_dagster.warehouse.expiring.policy import Policy, policy
from clickstream_dagster.warehouse.expiring.raw_objects import Removed
from clickstream_dagster.warehouse.lake.write import check_writable, refresh
from clickstream_dagster.warehouse.rebuild import rebuild_all

#: A process that expires and says nothing to the database for so long is frozen. A step has a connection of its own.
_SILENCE_SECONDS = 3_600


class AlreadyExpiring(RuntimeError):
    """Another process does it; the message says what to do."""


@dataclass
class Expiry:
    """What has left, or would leave: the store, `rejects` by their own rule, and `events`, `lines` of them with their copies and
    rejects. `visitors` have no other event; a run does not count them."""

    policy: Policy
    raw: Removed = field(default_factory=Removed)
    rejects: int = 0
    events: int = 0
    lines: int = 0
    hours: int = 0
    visitors: int = 0


def expire(
    connection: Connection,
    server: Postgres,
    store: ObjectStore,
    settings: Settings,
    now: datetime,
    on_lines: Callable[[int], object] = lambda lines: None,
) -> Expiry:
    """Take out what is older than the settings keep. Killed anywhere and run again, it does the rest; run twice, it finds
    nothing. `on_lines` is told, after each step, how many lines have left the tables so far. Raises `NoPolicy`,
    `AlreadyExpiring` and `AlreadyWriting`."""
    done = Expiry(policy(settings, now))
    check_writable(connection)
    with try_lock(connection, "expiring", _SILENCE_SECONDS) as is_ours:
        if not is_ours:
            raise AlreadyExpiring(
                "Another process expires what is old at this moment. Run this again when it has ended."
            )
        if done.policy.raw_from or done.policy.rejected_from:
            done.raw = raw_objects.remove_old(connection, store, done.policy)
        if done.policy.rejected_from:
            done.rejects = rejects.remove_old(connection, done.policy.rejected_from)
        rebuild_all(connection)
        while done.policy.events_from and (step := expire_some(server, settings, done.policy.events_from)):
            done.events += step.events
            done.lines += step.lines
            on_lines(done.lines)
            _say_something(connection)
    refresh(connection, store)
    return done


def _say_something(connection: Connection) -> None:
    """The steps are another connection's; this one holds the lock, and must not look frozen."""
    with transaction(connection) as cursor:
        cursor.execute("select")


def count(connection: Connection, store: ObjectStore, settings: Settings, now: datetime) -> Expiry:
    """How much would go. Changes nothing. Raises `NoPolicy`."""
    found = Expiry(policy(settings, now))
    if found.policy.raw_from or found.policy.rejected_from:
        found.raw = raw_objects.remove_old(connection, store, found.policy, is_dry_run=True)
    with transaction(connection) as cursor:
        cursor.execute("select count(*) from rejected_events where partition_hour < %s", (found.policy.rejected_from,))
        [(found.rejects,)] = cursor.fetchall()
        cursor.execute(
            """
            select count(*), count(distinct partition_hour),
                (select count(*) from duplicate_events where partition_hour < %(horizon)s)
            from clickstream_events where partition_hour < %(horizon)s
            """,
            {"horizon": found.policy.events_from},
        )
        [(found.events, found.hours, copies)] = cursor.fetchall()
        found.lines = found.events + copies
        cursor.execute(
            """
            select count(*)
            from (select distinct visitor_id from clickstream_events where partition_hour < %(horizon)s) as old
            where not exists (
                select from clickstream_events as later
                where later.visitor_id = old.visitor_id and later.partition_hour >= %(horizon)s
            )
            """,
            {"horizon": found.policy.events_from},
        )
        [(found.visitors,)] = cursor.fetchall()
    return found
