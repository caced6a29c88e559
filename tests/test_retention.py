"""Old runs go, and what the UI shows of assets and partitions stays: on Dagster's real storage in PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clickstream_dagster.partitions import HOUR, floor_hour, key_of
from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import create_database

NOW = floor_hour(datetime.now(UTC))

# Four runs, two of them of the same hour; the first three are made old; then what Dagster says before and after.
_PROCESS = """
import json, sys
from datetime import timedelta
import dagster as dg
from sqlalchemy import text
from clickstream_dagster import instance as dagster_instance, retention
from clickstream_dagster.partitions import HOUR, hour_of_key
from clickstream_dagster.runs import materialize_hours
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack

dagster_instance.prepare(Stack(load_settings()))
instance = dagster_instance.open_instance()
runs = []
for key in json.loads(sys.argv[1]):
    result = materialize_hours(instance, hour_of_key(key), hour_of_key(key) + HOUR)
    assert result.success
    runs.append(result.run_id)
with instance.run_storage.connect() as connection:
    old = text("update runs set update_timestamp = update_timestamp - interval '40 days' where run_id = any(:runs)")
    connection.execute(old, {"runs": runs[:-1]})

def state():
    events = dg.AssetKey("clickstream_events")
    with instance.event_log_storage.index_connection() as connection:
        counted = dict(connection.execute(text("select run_id, count(*) from event_logs group by 1")).fetchall())
        size = connection.execute(text("select sum(pg_column_size(event)) from event_logs")).scalar()
        tags = connection.execute(text(
            "select count(*) from asset_event_tags where event_id not in (select id from event_logs)")).scalar()
        checks = connection.execute(text(
            "select count(distinct (asset_key, check_name)), count(*) from asset_check_executions")).fetchone()
    latest = {
        key: {name: value.value for name, value in record.asset_materialization.metadata.items()}
        for key in json.loads(sys.argv[1])
        for record in instance.fetch_materializations(
            dg.AssetRecordsFilter(events, asset_partitions=[key]), limit=1).records
    }
    return {
        "runs": [record.dagster_run.run_id for record in instance.get_run_records()],
        "partitions": sorted(instance.get_materialized_partitions(events)),
        "assets": sorted(
            key.to_user_string() for key in instance.all_asset_keys() if instance.get_latest_materialization_event(key)),
        "latest": latest, "events": counted, "bytes": int(size), "tags": tags, "checks": list(checks),
    }

before = state()
pruned = [retention.prune(instance, 30, 2), retention.prune(instance, 30, 2), retention.prune(instance, 30)]
print("STATE" + json.dumps({"runs": runs, "before": before, "pruned": pruned, "after": state()}))
"""


@pytest.fixture(scope="module")
def pruned(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("home")
    create_database(postgres, "retention")
    first, second = NOW - 3 * HOUR, NOW - 2 * HOUR
    for hour in (first, second):
        folder = home / "raw" / f"events/{hour:%Y/%m/%d/%H}"
        folder.mkdir(parents=True)
        line = {"event_name": "click", "client_id": "c", "event_timestamp": (hour + timedelta(minutes=5)).isoformat()}
        (folder / "event-1.json").write_text(json.dumps(line))
    asked = [key_of(hour) for hour in (first, second, first, NOW - HOUR)]
    return _run(postgres, home, asked)


def _run(postgres: Postgres, home: Path, asked: list[str]) -> dict[str, Any]:
    environ = {
        "CLICKSTREAM_HOME": str(home),
        "DW_PG_HOST": postgres.host,
        "DW_PG_PORT": str(postgres.port),
        "DW_PG_DATABASE": "retention",
        "DAGSTER_PG_DATABASE": "dagster_retention",
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-c", _PROCESS, json.dumps(asked)], env=environ, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("STATE")]
    found: dict[str, Any] = json.loads(line.removeprefix("STATE"))
    return found


def test_runs_older_than_the_policy_go_a_few_at_a_time_and_newer_ones_stay(pruned: dict[str, Any]) -> None:
    assert pruned["pruned"] == [2, 1, 0]
    assert len(pruned["before"]["runs"]) == 4
    assert pruned["after"]["runs"] == [pruned["runs"][-1]]


def test_every_partition_and_asset_stays_materialized_with_what_its_latest_load_said(pruned: dict[str, Any]) -> None:
    before, after = pruned["before"], pruned["after"]
    assert len(before["partitions"]) == 3
    for name in ("partitions", "assets", "latest"):
        assert after[name] == before[name]
    assert all("loaded" in metadata for metadata in after["latest"].values())


def test_of_an_old_run_nothing_stays_but_its_latest_materializations(pruned: dict[str, Any]) -> None:
    first, second, again, last = pruned["runs"]
    events = pruned["after"]["events"]
    assert events[last] == pruned["before"]["events"][last]
    assert {run: events.get(run, 0) for run in (first, second, again)} == {first: 0, second: 1, again: 1}
    assert pruned["after"]["tags"] == 0


def test_of_a_check_the_latest_result_stays(pruned: dict[str, Any]) -> None:
    kinds, results = pruned["before"]["checks"]
    assert pruned["after"]["checks"] == [kinds, kinds]
    assert results == 4 * kinds
