"""The tick: EventBridge calls, one hour partition is materialized, and what is owed is paid.

Takes EventBridge's scheduled event (the hour before its `time`), or a test event: `{"hoursBack": 1}`,
`{"targetUtcHour": "2025-12-06T05:00:00Z"}` or `{"overridePrefix": "events/2025/12/06/05/"}`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from clickstream_dagster import instance as dagster_instance
from clickstream_dagster.partitions import HOUR, floor_hour, hour_of_prefix, key_of, ranges
from clickstream_dagster.settings import forget_secrets, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.tick_numbers import tell
from clickstream_dagster.warehouse import reader
from clickstream_dagster.warehouse.ledger import freshness, owed_hours

if TYPE_CHECKING:
    from dagster import DagsterInstance


class BadTick(ValueError):
    """The event names no hour that can be materialized; the message says what it takes."""


class TickFailed(RuntimeError):
    """A run of this tick failed. Raised so that Lambda counts an error and EventBridge tries again."""


def handler(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
    """Materialize the hour that the event means; before it, what is owed, oldest first, bounded.

    Returns the hours and their runs. Raises `BadTick` for an event that names no hour, `TickFailed` when a run failed.
    """
    try:
        return _tick(target_hour(event, datetime.now(UTC)))
    except (BadTick, TickFailed):
        raise
    except Exception:
        # Whoever was not let in, the warehouse's login or Dagster's own: each library has an error of its own for that.
        _forget()
        raise


def _tick(hour: datetime) -> dict[str, Any]:
    started = time.monotonic()
    stack, dagster = _open()
    _check_range(hour, stack)
    with stack.warehouse() as connection:
        reader.hold(connection)  # each time: a process that Lambda keeps migrates only once
        owed = owed_hours(connection, stack.store, stack.settings, hour)
    seconds = stack.settings.tick_seconds
    runs = [_run(dagster, start, end, "owed", seconds) for start, end in ranges(set(owed) - {hour}, 0)]
    runs.append(_run(dagster, hour, hour + HOUR, "tick", seconds))
    with stack.warehouse() as connection:
        complete_to = freshness(connection)
        answer = {
            "partition": key_of(hour),
            "runs": runs,
            "complete_to": complete_to.isoformat() if complete_to else None,
            "seconds": round(time.monotonic() - started, 3),
        }
        tell(connection, answer, len(set(owed) - {hour}), complete_to)
    failed = [run for run in runs if not run["success"]]
    from clickstream_dagster.retention import prune

    prune(dagster, stack.settings.run_retention_days)
    if failed:
        raise TickFailed(f"{len(failed)} of {len(runs)} runs failed: {json.dumps(failed)}")
    return answer


def target_hour(event: Mapping[str, Any], now: datetime) -> datetime:
    """The hour that an event asks for, floored: Dagster would take 01:30 for 02:00 without a word."""
    if not isinstance(event, Mapping):
        raise BadTick(f"The event is {event!r}, not an object; send one with time, hoursBack or targetUtcHour.")
    if "overridePrefix" in event:
        hour = hour_of_prefix(str(event["overridePrefix"]))
        if hour is None:
            raise BadTick(f"overridePrefix {event['overridePrefix']!r} is no hour; use events/YYYY/MM/DD/HH/.")
        return hour
    if "targetUtcHour" in event:
        return _hour("targetUtcHour", event["targetUtcHour"])
    if "hoursBack" in event:
        back = event["hoursBack"]
        if not isinstance(back, int) or isinstance(back, bool) or not 0 <= back <= 87_600:
            raise BadTick(f"hoursBack {back!r} must be a whole number of hours, 0 or more.")
        return floor_hour(now) - back * HOUR
    if "time" in event:
        return _hour("time", event["time"], back=HOUR)
    raise BadTick("The event has none of time, hoursBack, targetUtcHour, overridePrefix; one of them names the hour.")


def _hour(name: str, text: object, back: timedelta = timedelta(0)) -> datetime:
    try:
        return floor_hour(datetime.fromisoformat(str(text))) - back
    except (ValueError, OverflowError) as error:
        raise BadTick(f"{name} {text!r} is not a time; use 2025-12-06T05:00:00Z.") from error


def _check_range(hour: datetime, stack: Stack) -> None:
    first = stack.settings.first_hour
    if hour < first:
        raise BadTick(
            f"{key_of(hour)} lies before the first partition, {key_of(first)}. Set CLICKSTREAM_FIRST_HOUR to an earlier hour."
        )
    if hour > floor_hour(datetime.now(UTC)):
        raise BadTick(f"{key_of(hour)} lies in the future. Name an hour that has begun.")


def _run(dagster: DagsterInstance, start: datetime, end: datetime, trigger: str, seconds: int) -> dict[str, Any]:
    from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG

    from clickstream_dagster.runs import events_of, failure_of, materialize_hours

    # A Lambda that is killed cannot say so: the server's monitoring takes a run for dead that is older than its tag.
    tags = {"clickstream/trigger": trigger, MAX_RUNTIME_SECONDS_TAG: str(seconds)}
    result = materialize_hours(dagster, start, end, tags)
    run = {
        "first": key_of(start),
        "last": key_of(end - HOUR),
        "hours": (end - start) // HOUR,
        "events": events_of(result),
        "run_id": result.run_id,
        "success": result.success,
    }
    return run if result.success else {**run, "error": failure_of(result)}


def _forget() -> None:
    """Open everything anew next time: a password may have been changed since this process read it, and Lambda tries again
    in the same one."""
    from clickstream_dagster import resources

    forget_secrets()
    resources._stack.cache_clear()
    _open.cache_clear()


@cache
def _open() -> tuple[Stack, DagsterInstance]:
    """Once per process: Lambda keeps it for the next tick."""
    stack = Stack(load_settings())
    dagster_instance.prepare(stack)
    return stack, dagster_instance.open_instance()
