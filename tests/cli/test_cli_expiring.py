"""`clickstream expire`, its job and its schedule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from clickstream_dagster import resources
from clickstream_dagster.cli import expiring
from clickstream_dagster.cli.expiring import expire_command
from clickstream_dagster.definitions import defs
from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw.objects import list_as_stored
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import landing
from support.stories import rows

LONG_AGO = datetime(2026, 1, 10, 7, tzinfo=UTC)


@pytest.fixture
def used(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Three events of a January, one line that is none, and one object that nobody has loaded. Events are kept 60 days."""
    stack.settings = replace(stack.settings, keep_raw_days=60, keep_rejected_days=60, keep_events_days=60)
    monkeypatch.setattr(expiring, "load_settings", lambda: stack.settings)
    monkeypatch.setattr(expiring, "Stack", lambda settings, keeps_settings: stack)
    monkeypatch.setattr(resources, "_stack", lambda: stack)
    for number in range(4):
        times = f'"event_timestamp": "{LONG_AGO.isoformat()}", "received_at": "{LONG_AGO.isoformat()}"'
        line = f'{{"event_id": "{UUID(int=number)}", "event_name": "click", "client_id": "c{number}", {times}}}'
        stack.store.put(landing.event_key(LONG_AGO, UUID(int=number)), f"{line}\npoison".encode())
        if number == 2:
            with stack.warehouse() as connection:
                load_hours(connection, stack.store, LONG_AGO, LONG_AGO + HOUR)
                rebuild_all(connection)
    return stack


def run(*arguments: str) -> Result:
    return CliRunner().invoke(expire_command, arguments, catch_exceptions=False)


def test_it_says_what_would_go_and_what_went(used: Stack) -> None:
    before = rows(used, "select * from agg_daily_traffic")
    said = " ".join(run("--dry-run").output.split())
    assert "Events are kept since" in said and "Would remove 3 raw objects" in said
    assert "Would remove 3 rejected events." in said and "Would remove 3 events of 1 hours" in said
    assert "3 visitors have no later event" in said
    assert rows(used, "select count(*) from clickstream_events") == [(3,)]
    said = " ".join(run().output.split())
    assert "Removed 3 raw objects" in said and "Removed 3 events, 3 lines" in said
    assert "1 raw objects are as old and not loaded: they stay." in said
    assert rows(used, "select count(*) from clickstream_events") == [(0,)]
    assert rows(used, "select * from agg_daily_traffic") == before != []
    assert len(list_as_stored(used.store, LONG_AGO, LONG_AGO + HOUR)) == 1
    assert "Nothing is older than that." in run().output


def test_the_job_does_the_same_and_without_a_policy_nothing(used: Stack) -> None:
    kept = used.settings
    used.settings = replace(kept, keep_raw_days=None, keep_rejected_days=None, keep_events_days=None)
    with dg.instance_for_test() as instance:
        assert defs.resolve_job_def("expiry").execute_in_process(instance=instance).success
        assert rows(used, "select count(*) from clickstream_events") == [(3,)]
        used.settings = kept
        assert defs.resolve_job_def("expiry").execute_in_process(instance=instance).success
    assert rows(used, "select count(*) from clickstream_events") == [(0,)]


def test_the_schedule_is_for_a_person_to_turn_on() -> None:
    schedule = defs.resolve_schedule_def("daily_expiry")
    assert schedule.job_name == "expiry" and schedule.default_status == dg.DefaultScheduleStatus.STOPPED
