"""The tick: from an event to one materialized hour, and what is owed before it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from clickstream_dagster.lambda_entrypoint import BadTick, target_hour
from clickstream_dagster.partitions import HOUR, key_of
from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.ledger import freshness, ledger
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Rejection
from support.tables import differences
from support.ticks import Site, make_site

EVENTBRIDGE = json.loads((Path(__file__).parent / "events" / "eventbridge_scheduled.json").read_text())
NOW = datetime(2025, 12, 6, 6, 5, tzinfo=UTC)
T = datetime(2025, 12, 6, 5, tzinfo=UTC)
OVERRIDE = {"overridePrefix": "events/2025/12/06/05/"}
TARGET = {"targetUtcHour": "2025-12-06T05:00:00Z"}

ASKED = [
    (EVENTBRIDGE, T),
    (OVERRIDE, T),
    ({"overridePrefix": "rejected/2025/12/06/05"}, T),
    (TARGET, T),
    ({"targetUtcHour": "2025-12-06T05:59:59Z"}, T),
    ({"targetUtcHour": "2025-12-06T12:30:00+07:00"}, T),
    ({"targetUtcHour": "2025-12-06T05:00"}, T),
    ({"hoursBack": 1}, T),
    ({"hoursBack": 0}, T + HOUR),
    ({**EVENTBRIDGE, "time": "2025-12-06T06:00:00Z"}, T),
    ({**EVENTBRIDGE, "time": "2025-12-06T06:59:59Z"}, T),
    ({**EVENTBRIDGE, "time": "2026-01-01T00:05:00Z"}, datetime(2025, 12, 31, 23, tzinfo=UTC)),
    ({**EVENTBRIDGE, **TARGET, "time": "2026-01-01T00:05:00Z"}, T),
]
REFUSED = [
    ({}, "one of them names the hour"),
    ({"detail-type": "Scheduled Event"}, "one of them names the hour"),
    (None, "send one with time"),
    ([TARGET], "send one with time"),
    ({"overridePrefix": "events/2025/12/06/"}, "use events/YYYY/MM/DD/HH/"),
    ({"overridePrefix": "events/2025/12/06/24/"}, "use events/YYYY/MM/DD/HH/"),
    ({"overridePrefix": None}, "use events/YYYY/MM/DD/HH/"),
    ({"targetUtcHour": "last hour"}, "use 2025-12-06T05:00:00Z"),
    ({"targetUtcHour": 1765000000}, "use 2025-12-06T05:00:00Z"),
    ({"targetUtcHour": "0001-01-01T00:00:00+05:00"}, "use 2025-12-06T05:00:00Z"),
    ({"time": None}, "use 2025-12-06T05:00:00Z"),
    ({"time": "0001-01-01T00:30:00Z"}, "use 2025-12-06T05:00:00Z"),
    ({"hoursBack": -1}, "whole number of hours"),
    ({"hoursBack": "1"}, "whole number of hours"),
    ({"hoursBack": 1.5}, "whole number of hours"),
    ({"hoursBack": True}, "whole number of hours"),
    ({"hoursBack": 10**9}, "whole number of hours"),
]


@pytest.mark.parametrize(("event", "hour"), ASKED)
def test_an_event_names_its_hour(event: dict[str, Any], hour: datetime) -> None:
    assert target_hour(event, NOW) == hour
    assert target_hour(event, NOW.astimezone(timezone(timedelta(hours=7)))) == hour


@pytest.mark.parametrize(("event", "step"), REFUSED)
def test_an_event_that_names_no_hour_says_what_to_send(event: Any, step: str) -> None:
    with pytest.raises(BadTick, match=step):
        target_hour(event, NOW)


@pytest.fixture(scope="module")
def site(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(postgres, "tick", tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def first(site: Site) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """One hour with events, a repeat and rejects; another one that nobody asked for."""
    repeated = contract.encode(Event(uuid4(), "page_view", T, T, client_id="ann"))
    site.put(T, "ann", repeated, repeated, b"broken")
    refused = contract.encode(Rejection("invalid_price", "price: expected a number", T, 0, "{}"))
    site.stack.store.put(landing.rejected_key(T, uuid4()), refused)
    site.put(T + 8 * HOUR, "nobody asked")
    return site.tick(OVERRIDE)


def test_a_tick_materializes_the_hour_that_it_names_and_no_other(site: Site, first: Any) -> None:
    [answer], _ = first
    assert answer["partition"] == "2025-12-06-05:00"
    assert [(run["first"], run["last"], run["success"]) for run in answer["runs"]] == [
        ("2025-12-06-05:00", "2025-12-06-05:00", True)
    ]
    assert answer["complete_to"] == (T + HOUR).isoformat()
    with site.warehouse() as connection:
        [books] = ledger(connection)
    assert (books.partition_hour, books.received, books.loaded, books.duplicate, books.rejected) == (T, 5, 2, 1, 2)


def test_its_run_stands_in_the_dagster_instance_with_its_partition(first: Any) -> None:
    [answer], [run] = first
    assert run["id"] == answer["runs"][0]["run_id"]
    assert (run["job"], run["status"]) == ("hourly_clickstream", "SUCCESS")
    assert run["dagster/partition"] == "2025-12-06-05:00"
    assert run[".dagster/repository"] == "__repository__@clickstream"


def test_a_second_tick_changes_no_row_and_an_hour_outside_the_range_runs_nothing(site: Site, first: Any) -> None:
    before = site.dump()
    assert before["fact_sessions"]
    assert before["agg_daily_traffic"]
    early, late = {"targetUtcHour": "2025-11-30T23:00Z"}, {"targetUtcHour": "2999-01-01T00:00Z"}
    [too_early, too_late, again], runs = site.tick(early, late, EVENTBRIDGE)
    assert (too_early["error"], too_late["error"]) == ("BadTick", "BadTick")
    assert "Set CLICKSTREAM_FIRST_HOUR to an earlier hour" in too_early["message"]
    assert "Name an hour that has begun" in too_late["message"]
    assert again["partition"] == "2025-12-06-05:00"
    assert [run["status"] for run in runs] == ["SUCCESS"] * 2
    assert differences(before, site.dump()) == {}


@pytest.fixture(scope="module")
def owed(site: Site, first: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Two ticks for 09:00, of two owed hours each: 05:00 has grown, and nobody has loaded 06:00 to 08:00."""
    site.put(T, "late")
    site.put(T + 2 * HOUR, "missed")
    asked = {"targetUtcHour": (T + 4 * HOUR).isoformat()}
    return site.tick(asked, asked, CLICKSTREAM_MAX_OWED_HOURS="2")


def test_missed_hours_and_late_objects_are_paid_oldest_first_and_bounded(site: Site, owed: Any) -> None:
    answers, _ = owed
    paid = [[(run["first"], run["last"]) for run in answer["runs"]] for answer in answers]
    own = (key_of(T + 4 * HOUR), key_of(T + 4 * HOUR))
    assert paid == [[(key_of(T), key_of(T + HOUR)), own], [(key_of(T + 2 * HOUR), key_of(T + 3 * HOUR)), own]]
    with site.warehouse() as connection:
        assert freshness(connection) == T + 5 * HOUR
        assert [hour.partition_hour for hour in ledger(connection)] == [T, T + 2 * HOUR]
        assert all(hour.difference == 0 for hour in ledger(connection))


def test_what_is_owed_stands_in_the_dagster_instance_as_one_run_of_a_range(owed: Any) -> None:
    answers, runs = owed
    by_id = {run["id"]: run for run in runs}
    paid, own = (by_id[run["run_id"]] for run in answers[0]["runs"])
    assert (paid["clickstream/trigger"], own["clickstream/trigger"]) == ("owed", "tick")
    assert paid["dagster/asset_partition_range_start"] == key_of(T)
    assert paid["dagster/asset_partition_range_end"] == key_of(T + HOUR)
    assert own["dagster/partition"] == key_of(T + 4 * HOUR)


@pytest.fixture
def broken_table(site: Site) -> Iterator[Callable[[], None]]:
    """A table that is out of its place; call it to put it back."""

    def rename(name: str, to: str) -> None:
        with site.warehouse() as connection, transaction(connection) as cursor:
            cursor.execute(f"alter table if exists {name} rename to {to}")

    rename("agg_daily_traffic", "hidden")
    yield lambda: rename("hidden", "agg_daily_traffic")
    rename("hidden", "agg_daily_traffic")


def test_a_run_that_fails_is_an_error_with_its_cause_and_the_next_tick_mends_it(
    site: Site, first: Any, broken_table: Callable[[], None]
) -> None:
    site.put(T, "unlucky")
    [failed], _ = site.tick(TARGET)
    assert failed["error"] == "TickFailed"
    assert "agg_daily_traffic" in failed["message"]
    broken_table()
    [mended], _ = site.tick(TARGET)
    assert mended["runs"][0]["success"]
    with site.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("select count(*) from dim_visitor where visitor_id = 'unlucky'")
        assert cursor.fetchone() == (1,)
