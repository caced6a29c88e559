"""The hour that has ended, and what is owed before it, as Dagster runs: what a tick of each hour does."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from clickstream_dagster.partitions import HOUR, key_of, ranges
from clickstream_dagster.stack import Stack
from clickstream_dagster.tick_numbers import runs_numbers, tell
from clickstream_dagster.warehouse import reader
from clickstream_dagster.warehouse.ledger import anomalies, freshness, note_runs, owed_hours

if TYPE_CHECKING:
    from dagster import DagsterInstance


class TickFailed(RuntimeError):
    """A run of this tick failed. Raised so that Lambda counts an error and EventBridge tries again."""


def run_hours(hour: datetime, stack: Stack, dagster: DagsterInstance) -> dict[str, Any]:
    """Materialize the hour, and before it what is owed; the hours and their runs. Raises `TickFailed` when a run failed."""
    started = time.monotonic()
    with stack.warehouse() as connection:
        reader.hold(connection)  # each time: a process that Lambda keeps migrates only once
        owed = owed_hours(connection, stack.store, stack.settings, hour)
    runs = [_noted_run(stack, dagster, start, end, "owed") for start, end in ranges(set(owed) - {hour}, 0)]
    runs.append(_noted_run(stack, dagster, hour, hour + HOUR, "tick"))
    with stack.warehouse() as connection:
        complete_to = freshness(connection)
        unusual = [sentence for sentence, is_going_on in anomalies(connection) if is_going_on]
        answer = {
            "partition": key_of(hour),
            "runs": runs,
            "complete_to": complete_to.isoformat() if complete_to else None,
            "anomalies": unusual,
            "seconds": round(time.monotonic() - started, 3),
        }
        tell(connection, stack.store, answer, runs_numbers(runs, len(set(owed) - {hour}), len(unusual)), complete_to)
    failed = [run for run in runs if not run["success"]]
    from clickstream_dagster.retention import prune

    prune(dagster, stack.settings.run_retention_days)
    if failed:
        raise TickFailed(f"{len(failed)} of {len(runs)} runs failed: {json.dumps(failed)}")
    return answer


def _noted_run(stack: Stack, dagster: DagsterInstance, start: datetime, end: datetime, trigger: str) -> dict[str, Any]:
    """A run that is owed until it has succeeded: one that fails or is killed after its load has closed its hours already."""
    with stack.warehouse() as connection:
        note_runs(connection, start, end, is_owed=True)
    run = _run(dagster, start, end, trigger, stack.settings.tick_seconds)
    if run["success"]:
        with stack.warehouse() as connection:
            note_runs(connection, start, end, is_owed=False)
    return run


def _run(dagster: DagsterInstance, start: datetime, end: datetime, trigger: str, seconds: int) -> dict[str, Any]:
    from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG

    from clickstream_dagster.jobs import asked_by
    from clickstream_dagster.runs import events_of, failure_of, materialize_hours

    # A Lambda that is killed cannot say so: the server's monitoring takes a run for dead that is older than its tag.
    tags = {**asked_by(trigger), MAX_RUNTIME_SECONDS_TAG: str(seconds)}
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
