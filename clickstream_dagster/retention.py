"""What Dagster remembers: runs that ended long ago go, with their events. The latest materialization of each asset and
partition stays, and the latest result of each check: they are the state that the UI shows, and deleting a run Dagster's own
way would take them along, as if the hour had never been loaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from sqlalchemy.engine import Connection

#: So many runs at once: a tick makes one or two, so a long history is gone after some days of them.
PRUNED_RUNS = 20

_SUPERSEDED_CHECKS = """
    delete from asset_check_executions as done where done.run_id = :run and exists (
        select from asset_check_executions as later
        where later.asset_key = done.asset_key and later.check_name = done.check_name and later.id > done.id
    )
"""
# The two questions about a later one are apart, so that each goes by Dagster's index on asset and partition.
_EVENTS = """
    delete from event_logs as done where done.run_id = :run and (
        coalesce(done.dagster_event_type, '') <> 'ASSET_MATERIALIZATION'
        or exists (
            select from event_logs as later
            where later.asset_key = done.asset_key and later.dagster_event_type = 'ASSET_MATERIALIZATION'
                and later.partition = done.partition and later.id > done.id
        )
        or done.partition is null and exists (
            select from event_logs as later
            where later.asset_key = done.asset_key and later.dagster_event_type = 'ASSET_MATERIALIZATION'
                and later.partition is null and later.id > done.id
        )
    )
    returning done.id
"""
_TAGS = "delete from asset_event_tags where event_id = any(:events)"


def prune(instance: DagsterInstance, keep_days: int, limit: int = PRUNED_RUNS) -> int:
    """Delete the oldest runs that ended more than `keep_days` days ago, at most `limit` of them; how many were deleted.
    0 days: keep everything. Runs that have not ended are left alone."""
    if not keep_days:
        return 0
    from dagster import RunsFilter
    from dagster._core.storage.dagster_run import FINISHED_STATUSES

    ended = RunsFilter(statuses=list(FINISHED_STATUSES), updated_before=datetime.now(UTC) - timedelta(days=keep_days))
    old = instance.get_run_records(ended, limit=limit, order_by="update_timestamp", ascending=True)
    for record in old:
        run_id = record.dagster_run.run_id
        # Events first: what is cut off in between is found again by its run.
        with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
            _delete_events(connection, run_id)
        instance.run_storage.delete_run(run_id)
    return len(old)


def _delete_events(connection: Connection, run_id: str) -> None:
    connection.execute(text(_SUPERSEDED_CHECKS), {"run": run_id})
    deleted = [event for (event,) in connection.execute(text(_EVENTS), {"run": run_id})]
    connection.execute(text(_TAGS), {"events": deleted})
