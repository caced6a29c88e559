"""The tick: EventBridge calls, the hour that ended is materialized, and what is owed is paid.

With `CLICKSTREAM_TICK_MINUTES` below 60 it comes more often. The first tick after an hour has ended makes that hour's Dagster
run; each one loads the hour in progress, and most do nothing else and never import Dagster.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from clickstream_dagster import instance as dagster_instance
from clickstream_dagster.asked_hour import BadTick, check_range, is_by_the_clock, target_hour
from clickstream_dagster.hour_runs import TickFailed, run_hours
from clickstream_dagster.open_hour import is_closed, load_open_hour
from clickstream_dagster.partitions import HOUR, key_of
from clickstream_dagster.settings import forget_secrets, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.tick_numbers import tell
from clickstream_dagster.warehouse import reader
from clickstream_dagster.warehouse.connection import Connection, try_lock
from clickstream_dagster.warehouse.ledger import freshness
from ingest_lambda.log import log

if TYPE_CHECKING:
    from dagster import DagsterInstance

_RESOURCES = "clickstream_dagster.resources"


def handler(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
    """Materialize the hour that the event means (see `asked_hour`); before it, what is owed, oldest first, bounded.

    Returns the hours and their runs. Raises `BadTick` for an event that names no hour, `TickFailed` when a run failed.
    """
    try:
        hour = target_hour(event, datetime.now(UTC))
        stack = _stack()
        if is_by_the_clock(event) and stack.settings.tick_minutes < 60:
            return _often(hour, stack)
        check_range(hour, stack.settings.first_hour)
        return run_hours(hour, stack, _dagster())
    except (BadTick, TickFailed):
        raise
    except Exception:
        # Whoever was not let in, the warehouse's login or Dagster's own: each library has an error of its own for that.
        _forget()
        raise


def _often(ended: datetime, stack: Stack) -> dict[str, Any]:
    """One of several ticks of an hour: `ended` is the hour before the one in progress."""
    check_range(ended + HOUR, stack.settings.first_hour)
    # It does not wait: the one before may be at a long run, and the one after comes in a few minutes.
    with stack.warehouse() as connection, try_lock(connection, "tick", stack.settings.tick_seconds) as is_ours:
        if not is_ours:
            answer = {"partition": key_of(ended + HOUR), "runs": [], "skipped": "another tick is at work"}
            log("tick", service="etl", **answer)
            return answer
        is_due = ended >= stack.settings.first_hour and not is_closed(connection, ended)
        closing = run_hours(ended, stack, _dagster()) if is_due else None
        # The first connection holds the lock. A long run may outlive it; a second run would do no harm.
        with stack.warehouse() if is_due else nullcontext(connection) as own:
            return _load_open_hour(own, stack, ended + HOUR, closing)


def _load_open_hour(
    connection: Connection, stack: Stack, hour: datetime, closing: dict[str, Any] | None
) -> dict[str, Any]:
    started = time.monotonic()
    reader.hold(connection)
    loaded = load_open_hour(connection, stack, hour)
    complete_to = freshness(connection)
    answer = {
        "partition": key_of(hour),
        "runs": closing["runs"] if closing else [],
        "open": vars(loaded),
        "complete_to": complete_to.isoformat() if complete_to else None,
        "seconds": round(time.monotonic() - started, 3),
    }
    tell(connection, stack.store, {**answer, "runs": []}, {"EventsLoaded": loaded.loaded}, complete_to)
    return answer


def _forget() -> None:
    """Open everything anew next time: a password may have been changed since this process read it, and Lambda tries again
    in the same one."""
    forget_secrets()
    _stack.cache_clear()
    _dagster.cache_clear()
    if _RESOURCES in sys.modules:  # else nothing of Dagster is here yet, and nothing of it is wanted
        sys.modules[_RESOURCES]._stack.cache_clear()


# Once per process: Lambda keeps both for the next tick.
@cache
def _stack() -> Stack:
    return Stack(load_settings())


@cache
def _dagster() -> DagsterInstance:
    dagster_instance.prepare(_stack())
    return dagster_instance.open_instance()
