"""`clickstream lake`, its job and schedule; `erase` and `expire` on a warehouse that has a lake; and what docs/lake.md shows."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click
import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner, Result

from clickstream_dagster import resources, schedules
from clickstream_dagster.cli import erasing, expiring, lake
from clickstream_dagster.cli.main import sentence
from clickstream_dagster.definitions import defs
from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw import places
from clickstream_dagster.raw.objects import list_all
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import landing
from support.aws import client, versioned_bucket

START = datetime(2026, 1, 10, 7, tzinfo=UTC)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "lake.md"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket that keeps versions."""
    name = f"lake-{uuid4()}"
    with versioned_bucket(name, monkeypatch):
        yield name


@pytest.fixture
def used(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Two hours of Ann and Bob."""
    return fill(stack, monkeypatch)


def fill(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    for module in (lake, erasing, expiring):
        monkeypatch.setattr(module, "load_settings", lambda: stack.settings)
        monkeypatch.setattr(module, "Stack", lambda settings, keeps_settings: stack)
    monkeypatch.setattr(resources, "_stack", lambda: stack)
    put(stack, 0, "ann", "bob")
    put(stack, 1, "ann", "bob")
    load(stack)
    return stack


def put(stack: Stack, number: int, *visitors: str) -> None:
    at = START + HOUR * (number % 2)
    times = f'"event_timestamp": "{at.isoformat()}", "received_at": "{at.isoformat()}"'
    lines = [f'{{"event_id": "{uuid4()}", "event_name": "click", "client_id": "{name}", {times}}}' for name in visitors]
    stack.store.put(f"{landing.hour_prefix(at)}event-{number}.json", "\n".join(lines).encode())


def load(stack: Stack) -> None:
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START, START + 2 * HOUR)
        rebuild_all(connection)


def run(command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def files(stack: Stack) -> list[Path]:
    return sorted((stack.settings.home / "raw" / "lake").rglob("*.parquet"))


def visitors(found: list[Path]) -> set[str]:
    with closing(duckdb.connect(":memory:")) as connection:
        read = [
            connection.execute(
                "select visitor_id from read_parquet(?, hive_partitioning = false)", [str(file)]
            ).fetchall()
            for file in found
        ]
    return {name for rows in read for (name,) in rows}


def test_write_and_verify_say_what_they_did(used: Stack) -> None:
    assert "There is no lake yet" in run(lake.lake_command, "write", "--dry-run").output
    assert files(used) == []
    assert "Wrote 2 hours of tables" in run(lake.lake_command, "write", "--to", "2026-01-10T07:00").output
    assert "Would write 2 hours of tables; 2 stay" in run(lake.lake_command, "write", "--dry-run").output
    assert "Wrote 2 hours of tables" in run(lake.lake_command, "write").output
    assert "Nothing has changed" in run(lake.lake_command, "write").output
    equal = run(lake.lake_command, "verify")
    assert equal.exit_code == 0 and "4 hours of tables compared, 8 rows: all are equal." in equal.output
    put(used, 2, "cleo")
    load(used)
    assert "2 have changed since they were written" in run(lake.lake_command, "verify").output
    swapped = run(lake.lake_command, "write", "--from", "2026-02-01", "--to", "2026-01-01")
    assert swapped.exit_code == 2 and "swap them" in swapped.output


def test_verify_lists_the_rows_that_differ_and_what_it_advises_helps(used: Stack) -> None:
    run(lake.lake_command, "write")
    with used.warehouse() as connection, connection, connection.cursor() as cursor:
        cursor.execute("alter table fact_sessions disable trigger user")
        cursor.execute("update fact_sessions set is_bot = true where visitor_id = 'bob' and started_at = %s", (START,))
        cursor.execute("select session_key::text from fact_sessions where is_bot")
        [(key,)] = cursor.fetchall()
    found = run(lake.lake_command, "verify")
    assert found.exit_code == 1
    assert f"PostgreSQL: {key}" in found.output and f"lake: {key}" in found.output
    [named] = re.findall(r"Delete (\S+), then run: clickstream lake write", found.output)
    (used.settings.home / "raw" / named).unlink()
    run(lake.lake_command, "write")
    assert run(lake.lake_command, "verify").exit_code == 0


def test_erase_reaches_the_lake(used: Stack) -> None:
    run(lake.lake_command, "write")
    before = files(used)
    assert visitors(before) == {"ann", "bob"}
    assert run(erasing.erase_command, "--client-id", "bob").exit_code == 0
    assert visitors(files(used)) == {"ann"} and not {*before} & {*files(used)}
    assert run(lake.lake_command, "verify").exit_code == 0


def test_erase_reaches_older_versions_of_the_lake(
    stack: Stack, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those of an hour that was written again before, too."""
    stack.settings = replace(stack.settings, raw_bucket=bucket)
    fill(stack, monkeypatch)
    run(lake.lake_command, "write")
    put(stack, 2, "cleo")
    load(stack)
    run(lake.lake_command, "write")
    assert run(erasing.erase_command, "--client-id", "bob").exit_code == 0
    s3 = client(os.environ["AWS_ENDPOINT_URL"], "s3")
    listed = s3.list_object_versions(Bucket=bucket, Prefix="lake/")
    kept = []
    for number, one in enumerate(listed["Versions"]):
        kept.append(tmp_path / f"{number}.parquet")
        found = s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        kept[-1].write_bytes(found["Body"].read())
    assert visitors(kept) == {"ann", "cleo"}
    assert all(one["IsLatest"] for one in listed["Versions"])


def test_without_duckdb_nothing_is_written(used: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ModuleNotFoundError) as missing:
        run(lake.lake_command, "write")
    assert sentence(missing.value) == "duckdb is not installed. Run: pip install 'clickstream[lake]'"
    assert run(erasing.erase_command, "--client-id", "ann").exit_code == 0  # there is no lake


def test_without_duckdb_erase_does_not_begin_where_there_is_a_lake(
    used: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(lake.lake_command, "write")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ModuleNotFoundError):
        run(erasing.erase_command, "--client-id", "bob")
    with used.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from clickstream_events where client_id = 'bob'")
        assert cursor.fetchone() == (2,)


def test_what_expires_leaves_the_lake(used: Stack) -> None:
    run(lake.lake_command, "write")
    used.settings = replace(used.settings, keep_raw_days=60, keep_rejected_days=60, keep_events_days=60)
    assert run(expiring.expire_command).exit_code == 0
    assert files(used) == []


def test_no_object_of_the_lake_is_a_stranger_to_a_load(used: Stack) -> None:
    run(lake.lake_command, "write")
    strangers: list[str] = []
    assert [raw.key for raw in list_all(used.store, strangers.append) if "lake" in raw.key] == []
    assert strangers == [] == [*places.strangers(used.store, START, START + HOUR)]


def test_the_job_does_the_same(used: Stack) -> None:
    with dg.instance_for_test() as instance:
        assert defs.resolve_job_def("open_lake").execute_in_process(instance=instance).success
    assert len(files(used)) == 4


def test_the_schedule_is_on_where_the_setting_says_so() -> None:
    assert schedules.hourly_lake.default_status == dg.DefaultScheduleStatus.STOPPED
    assert not load_settings({}).lake and load_settings({"CLICKSTREAM_LAKE": "true"}).lake


def test_the_page_shows_what_duckdb_reads(used: Stack) -> None:
    run(lake.lake_command, "write")
    [shown] = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with closing(duckdb.connect(":memory:")) as connection:
        told = connection.execute(shown.replace("'lake/", f"'{used.settings.home}/raw/lake/")).fetchall()
    assert told == [(START.date(), 4, 2)]
