"""Several ticks in each hour: the hour in progress is loaded without a run, and gets its run when it has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from clickstream_dagster.open_hour import is_closed, load_open_hour
from clickstream_dagster.partitions import HOUR, key_of
from clickstream_dagster.resources import Platform
from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import connect, transaction, try_lock
from clickstream_dagster.warehouse.ledger import freshness, ledger, open_hour
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from support.tables import differences, dump
from support.ticks import Site, make_site

FIVE = datetime(2025, 12, 6, 5, tzinfo=UTC)
SIX = FIVE + HOUR


def at(hour: datetime, minute: int) -> dict[str, Any]:
    """EventBridge's event of that time."""
    moment = hour + timedelta(minutes=minute)
    return {"detail-type": "Scheduled Event", "source": "aws.events", "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}


@pytest.fixture
def site(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Site:
    name = f"often_{abs(hash(request.node.name)) % 10**8}"
    first = {"CLICKSTREAM_FIRST_HOUR": (FIVE - HOUR).isoformat(), "CLICKSTREAM_TICK_MINUTES": "5"}
    return make_site(postgres, name, tmp_path_factory.mktemp("home"), **first)


def close(site: Site, hour: datetime) -> None:
    """Have an hour be loaded whole."""
    with site.warehouse() as connection:
        load_hours(connection, site.stack.store, hour, hour + HOUR)


def visitors(site: Site) -> list[str]:
    with site.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("select visitor_id from dim_visitor order by 1")
        return [name for (name,) in cursor.fetchall()]


def test_an_hour_is_loaded_as_it_comes_and_gets_its_one_run_when_it_has_ended(
    site: Site, make_stack: Callable[..., Stack]
) -> None:
    site.put(FIVE - HOUR, "ann")
    site.put(FIVE, "bob")
    [first], runs = site.tick(at(FIVE, 3))
    assert (first["partition"], first["complete_to"]) == (key_of(FIVE), FIVE.isoformat())
    assert [run["dagster/partition"] for run in runs] == [key_of(FIVE - HOUR)]
    assert visitors(site) == ["ann", "bob"]

    site.put(FIVE - HOUR, "late")
    site.put(FIVE, "cat")
    answers = site.light(at(FIVE, 8), at(FIVE, 58))
    assert [(answer["runs"], answer["open"]["loaded"]) for answer in answers] == [([], 2), ([], 0)]
    assert answers[-1]["complete_to"] == FIVE.isoformat()  # an hour in progress makes nothing complete
    with site.warehouse() as connection:
        assert not is_closed(connection, FIVE)
        assert freshness(connection) == FIVE
        assert open_hour(connection) == (FIVE, SIX)  # loaded, and not complete
        assert [(hour.received, hour.loaded, hour.difference) for hour in ledger(connection)] == [(2, 2, 0), (2, 2, 0)]

    site.put(FIVE, "dan")
    site.put(SIX, "eve")
    [closing], runs = site.tick(at(SIX, 3))
    assert [(run["first"], run["events"]) for run in closing["runs"]] == [(key_of(FIVE), 1)]
    assert [run["dagster/partition"] for run in runs] == [key_of(FIVE), key_of(FIVE - HOUR)]
    assert closing["complete_to"] == SIX.isoformat()
    assert visitors(site) == ["ann", "bob", "cat", "dan", "eve", "late"]
    once = make_stack()
    with once.warehouse() as connection:
        load_hours(connection, site.stack.store, FIVE - HOUR, SIX + HOUR)
        rebuild_all(connection)
        assert differences(dump(connection), site.dump()) == {}


def test_hours_that_no_tick_has_seen_are_paid_by_runs_before_the_hour_in_progress(site: Site) -> None:
    close(site, FIVE - HOUR)
    for hours in range(4):
        site.put(FIVE + hours * HOUR, f"visitor {hours}")
    [answer], runs = site.tick(at(FIVE + 3 * HOUR, 33))
    assert [(run["first"], run["last"]) for run in answer["runs"]] == [
        (key_of(FIVE), key_of(FIVE + HOUR)),
        (key_of(FIVE + 2 * HOUR), key_of(FIVE + 2 * HOUR)),
    ]
    assert len(runs) == 2
    assert (answer["complete_to"], answer["open"]["loaded"]) == ((FIVE + 3 * HOUR).isoformat(), 1)


def test_an_hour_that_is_named_is_a_run_as_ever_and_with_sixty_minutes_no_open_hour_is_loaded(site: Site) -> None:
    site.put(FIVE, "ann")
    [named], runs = site.tick({"targetUtcHour": FIVE.isoformat()})
    assert ("open" in named, len(runs)) == (False, 1)
    site.put(SIX, "bob")
    [hourly], runs = site.tick(at(SIX, 5), CLICKSTREAM_TICK_MINUTES="60")
    assert ("open" in hourly, hourly["partition"], len(runs)) == (False, key_of(FIVE), 2)
    assert visitors(site) == ["ann"]


def test_a_tick_beside_another_leaves_the_work_to_it(site: Site) -> None:
    close(site, FIVE - HOUR)
    site.put(FIVE, "ann")
    with closing(connect(site.stack.server)) as other, try_lock(other, "tick", 60) as is_ours:
        assert is_ours
        [skipped] = site.light(at(FIVE, 8))
        assert skipped["skipped"] == "another tick is at work"
        assert visitors(site) == []
    [done] = site.light(at(FIVE, 13))
    assert done["open"]["loaded"] == 1


def test_a_tick_that_fails_raises_and_the_next_one_pays(site: Site) -> None:
    close(site, FIVE - HOUR)
    site.put(FIVE, "ann")

    def rename(name: str, to: str) -> None:
        with site.warehouse() as connection, transaction(connection) as cursor:
            cursor.execute(f"alter table {name} rename to {to}")

    rename("fact_orders", "hidden")
    [failed] = site.light(at(FIVE, 8))
    assert "fact_orders" in failed["message"]
    rename("hidden", "fact_orders")
    [mended] = site.light(at(FIVE, 13))
    assert mended["open"]["loaded"] == 0  # the load was kept, and the rebuild was still owed
    with site.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("select count(*) from fact_orders")
        assert cursor.fetchone() == (1,)


def test_a_run_that_fails_after_its_load_is_repeated_by_the_next_tick(site: Site) -> None:
    site.put(FIVE, "ann")

    def rename(name: str, to: str) -> None:
        with site.warehouse() as connection, transaction(connection) as cursor:
            cursor.execute(f"alter table {name} rename to {to}")

    rename("fact_orders", "hidden")
    [failed], _ = site.tick(at(SIX, 3))
    assert failed["error"] == "TickFailed"
    with site.warehouse() as connection:
        assert freshness(connection) == SIX  # the load was kept, and has closed the hour
    rename("hidden", "fact_orders")
    [mended], runs = site.tick(at(SIX, 8))
    assert [(run["first"], run["success"]) for run in mended["runs"]][-1] == (key_of(FIVE), True)
    assert [run["status"] for run in runs if run.get("dagster/partition") == key_of(FIVE)] == ["SUCCESS", "FAILURE"]
    assert site.light(at(SIX, 13))[0]["runs"] == []


def test_a_tick_that_is_killed_leaves_its_lock_and_its_work_to_the_next(site: Site) -> None:
    close(site, FIVE - HOUR)
    site.put(FIVE, "ann")
    code = f"from clickstream_dagster.lambda_entrypoint import handler; handler({at(FIVE, 8)!r})"
    with closing(connect(site.stack.server)) as blocker, blocker.cursor() as held:
        held.execute("lock table clickstream_events in share mode")
        tick = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **site.environ})
        waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        with closing(connect(site.stack.server)) as watcher, watcher.cursor() as seen:
            watcher.autocommit = True
            end = time.monotonic() + 60
            while time.monotonic() < end and tick.poll() is None and not seen.rowcount > 0:
                seen.execute(waiting)
                time.sleep(0.1)
        assert tick.poll() is None
        tick.send_signal(signal.SIGKILL)
        tick.wait()
    time.sleep(1)  # PostgreSQL notices that it is gone
    [done] = site.light(at(FIVE, 13))
    assert done["open"]["loaded"] == 1
    assert visitors(site) == ["ann"]


def test_the_schedule_of_one_machine_loads_the_hour_in_progress_and_asks_for_no_run(
    make_stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    from clickstream_dagster import resources, schedules

    stack = make_stack(CLICKSTREAM_FIRST_HOUR=FIVE.isoformat())
    monkeypatch.setattr(resources, "_stack", lambda: stack)
    Site(stack, {}).put(FIVE, "ann")
    context = dg.build_schedule_context(scheduled_execution_time=FIVE + timedelta(minutes=35))
    said = schedules.hour_in_progress(context, platform=Platform())
    assert isinstance(said, dg.SkipReason)
    assert str(said.skip_message).startswith("1 events of 2025-12-06-05:00 are loaded")


def test_the_first_hour_of_all_has_no_hour_before_it(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(CLICKSTREAM_FIRST_HOUR=FIVE.isoformat())
    site = Site(stack, {})
    site.put(FIVE - HOUR, "too early")
    site.put(FIVE, "ann")
    with stack.warehouse() as connection:
        assert load_open_hour(connection, stack, FIVE).loaded == 1
