"""Run the job in this process, against the shared instance, so that the run stands in the UI next to the backfills."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.utils import make_new_run_id

from clickstream_dagster.jobs import HOURLY_JOB, HOURS_TAG, REPOSITORY_TAG, asked_by, range_tags
from clickstream_dagster.partitions import HOUR, key_of
from clickstream_dagster.settings import DAGSTER_LOCATION

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

#: Where the UI finds the job of a run in process, to execute it again: it goes by the names. Host and port are the server's
#: of infra_cfn/instance; another that knows a location of this name serves as well.
_ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(
        GrpcServerCodeLocationOrigin(host="127.0.0.1", port=4000, location_name=DAGSTER_LOCATION), "__repository__"
    ),
    HOURLY_JOB,
)


def materialize_hours(
    instance: dg.DagsterInstance, start: datetime, end: datetime, tags: dict[str, str] | None = None
) -> ExecuteInProcessResult:
    """One run for the hours from `start` up to `end`. A failed run is returned, not raised."""
    from clickstream_dagster.definitions import defs

    job = defs.resolve_job_def(HOURLY_JOB)
    is_one_hour = end - start == HOUR
    asked = {**asked_by("CLI"), HOURS_TAG: _hours(start, end)}
    run_id = make_new_run_id()
    _name_origin(instance, run_id)
    return job.execute_in_process(
        instance=instance,
        run_id=run_id,
        partition_key=key_of(start) if is_one_hour else None,
        tags={**REPOSITORY_TAG, **asked, **({} if is_one_hour else range_tags(start, end - HOUR)), **(tags or {})},
        raise_on_error=False,
    )


def _hours(start: datetime, end: datetime) -> str:
    """In words, for the list of runs."""
    hours = (end - start) // HOUR
    return key_of(start) if hours == 1 else f"{key_of(start)} to {key_of(end - HOUR)}, {hours:,} hours"


def events_of(result: ExecuteInProcessResult) -> int:
    """How many new events a run has loaded. Each hour of a range carries the sum of the range."""
    loads = [
        event.materialization
        for event in result.all_events
        if event.is_step_materialization and event.asset_key == dg.AssetKey("clickstream_events")
    ]
    value = loads[0].metadata["loaded"].value if loads else 0
    assert isinstance(value, int)
    return value


def _name_origin(instance: dg.DagsterInstance, run_id: str) -> None:
    """Give the run an origin with its first event: Dagster gives a run in process none, and the one that a person most wants
    to execute again is the one that was killed before its end."""
    unnamed = [run_id]

    def on_event(_: object) -> None:
        if unnamed and (run := instance.get_run_by_id(run_id)):
            unnamed.clear()
            instance.run_storage.replace_job_origin(run, _ORIGIN)

    instance.add_event_listener(run_id, on_event)


def failure_of(result: ExecuteInProcessResult) -> str:
    """Why a run failed, in one line."""
    for event in result.all_events:
        if event.is_failure and event.event_specific_data is not None:
            error = getattr(event.event_specific_data, "error", None)
            if error is not None:
                while error.cause is not None:
                    error = error.cause
                return str(error.message).strip().splitlines()[0]
    return "see the run in the Dagster UI"
