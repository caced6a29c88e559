"""The Dagster side: one run for a range, blocking tests before the commit, rebuilds on purpose, schedule, sensor, check."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import dagster as dg
import obstore
import pytest
from click.testing import CliRunner

from clickstream_dagster import resources
from clickstream_dagster.assets.describe import PAGES, definition_metadata
from clickstream_dagster.assets.models import model_asset
from clickstream_dagster.checks import (
    every_object_has_a_place,
    latest_closed_hour_is_loaded,
    nothing_is_out_of_the_ordinary,
)
from clickstream_dagster.cli.status import status_command
from clickstream_dagster.definitions import defs
from clickstream_dagster.partitions import HOUR, floor_hour, key_of
from clickstream_dagster.resources import Platform
from clickstream_dagster.runs import failure_of, materialize_hours
from clickstream_dagster.schedules import closed_hour
from clickstream_dagster.sensors import late_objects
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.audits import AuditFailed
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.models import Column, all_models
from clickstream_dagster.warehouse.rebuild import rebuild, rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event
from support.outages import sell
from support.tables import differences, dump

START = datetime(2026, 4, 1, 23, tzinfo=UTC)


@pytest.fixture
def used(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack that the Dagster resource opens too."""
    monkeypatch.setattr(resources, "_stack", lambda: stack)
    return stack


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as made:
        yield made


def put_events(stack: Stack, *times: datetime, visitor: str = "ann") -> None:
    for time in times:
        event = Event(
            event_id=UUID(int=int(time.timestamp())),
            event_name="page_view",
            event_timestamp=time,
            received_at=time,
            client_id=visitor,
            page_url="https://shop.example/",
        )
        obstore.put(stack.store, landing.event_key(time, event.event_id), contract.encode(event))


def load(stack: Stack, start: datetime, end: datetime) -> None:
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, start, end)
        rebuild_all(connection)


def test_a_range_of_hours_is_one_run_and_fills_every_partition(used: Stack, instance: dg.DagsterInstance) -> None:
    put_events(used, START + timedelta(minutes=50), START + timedelta(minutes=70))
    result = materialize_hours(instance, START, START + 5 * HOUR)
    assert result.success, failure_of(result)
    keys = {key_of(START + n * HOUR) for n in range(5)}
    assert instance.get_materialized_partitions(dg.AssetKey("clickstream_events")) == keys
    assert instance.get_runs_count() == 1
    assert all(check.passed for check in result.get_asset_check_evaluations() if check.blocking)
    with used.warehouse() as connection:
        assert (
            dump(connection)["agg_daily_traffic"]
            == "(2026-04-01,f,1,1,1,1,0,1,2,2,1200.00,0,0,3)\n(2026-04-02,f,1,1,0,0,0,0,0,0,0.00,0,0,2)"
        )


def test_running_again_changes_no_row(used: Stack, instance: dg.DagsterInstance) -> None:
    put_events(used, START, START + timedelta(minutes=70))
    for _ in range(2):
        assert materialize_hours(instance, START, START + 2 * HOUR).success
        with used.warehouse() as connection:
            tables = dump(connection)
    load(used, START, START + 2 * HOUR)
    with used.warehouse() as connection:
        assert differences(tables, dump(connection)) == {}


def impossible(name: str) -> object:
    """The model with a test that no row passes."""
    model = all_models()[name]
    column = Column("channel", "", "text", (("accepted_values", {"values": ["nothing"]}),))
    return replace(model, columns=tuple(column if c.name == "channel" else c for c in model.columns))


def test_a_failed_test_keeps_the_rows_out_and_the_keys_owed(used: Stack) -> None:
    put_events(used, START)
    with used.warehouse() as connection:
        load_hours(connection, used.store, START, START + HOUR)
        with pytest.raises(AuditFailed, match=r"accepted_values\(channel\): 1 rows"):
            rebuild(connection, impossible("fact_sessions"))  # type: ignore[arg-type]
        assert dump(connection)["fact_sessions"] == ""
        rebuild_all(connection)
        assert dump(connection)["fact_sessions"] != ""


def test_a_failed_test_fails_its_blocking_check_and_the_run(used: Stack, instance: dg.DagsterInstance) -> None:
    put_events(used, START)
    with used.warehouse() as connection:
        load_hours(connection, used.store, START, START + HOUR)
    asset = model_asset(impossible("fact_sessions"))  # type: ignore[arg-type]
    result = dg.materialize([asset], instance=instance, resources={"platform": Platform()}, raise_on_error=False)
    assert not result.success
    assert [check.check_name for check in result.get_asset_check_evaluations() if not check.passed] == [
        "channel_is_known"
    ]
    assert result.get_asset_materialization_events() == []


def test_a_person_rebuilds_one_day_of_one_table(used: Stack, instance: dg.DagsterInstance) -> None:
    put_events(used, START, START + timedelta(days=1))
    load(used, START, START + 26 * HOUR)
    with used.warehouse() as connection:
        before = dump(connection)
        with transaction(connection) as cursor:
            cursor.execute("update agg_daily_traffic set sessions = 99")
    config = {"ops": {"agg_daily_traffic": {"config": {"first_date": "2026-04-01"}}}}
    job = defs.resolve_job_def("hourly_clickstream").get_subset(asset_selection={dg.AssetKey("agg_daily_traffic")})
    assert job.execute_in_process(instance=instance, run_config=config).success
    with used.warehouse() as connection:
        [(_, (was, now))] = differences(before, dump(connection)).items()
    assert [row[:11] for row in was] == [row[:11] for row in now] == ["(2026-04-02"]


def test_another_time_zone_rebuilds_as_if_it_had_been_so_from_the_start(make_stack: Callable[..., Stack]) -> None:
    there = make_stack(CLICKSTREAM_TIMEZONE="Asia/Ho_Chi_Minh")
    moved = make_stack()
    for stack in (there, moved):
        put_events(stack, START, START + timedelta(minutes=10))
        load(stack, START, START + HOUR)
    moved = Stack(replace(moved.settings, timezone="Asia/Ho_Chi_Minh"))
    load(moved, START, START + HOUR)
    with there.warehouse() as one, moved.warehouse() as other:
        assert differences(dump(one), dump(other)) == {}


def test_the_check_warns_of_what_is_out_of_the_ordinary_in_words(used: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert nothing_is_out_of_the_ordinary(platform=Platform()).passed
    sell(used)
    found = nothing_is_out_of_the_ordinary(platform=Platform())
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.description == (
        "checkout stopped on Chrome (desktop) since Monday 18:00: none, where about 24 are usual"
    )
    monkeypatch.setattr("clickstream_dagster.cli.status.load_settings", lambda: used.settings)
    shown = CliRunner().invoke(status_command).output
    assert f"Out of the ordinary: {found.description}." in " ".join(shown.split())


def test_the_check_sees_that_the_latest_closed_hour_is_missing(used: Stack) -> None:
    now = floor_hour(datetime.now(UTC))
    load(used, now - 3 * HOUR, now - HOUR)
    assert not latest_closed_hour_is_loaded(platform=Platform()).passed
    load(used, now - HOUR, now)
    assert latest_closed_hour_is_loaded(platform=Platform()).passed


def test_the_check_names_what_lies_where_no_hour_looks(used: Stack) -> None:
    assert every_object_has_a_place(platform=Platform()).passed
    day = datetime.now(UTC) - timedelta(days=1)
    used.store.put(landing.event_key(day, uuid4()), b"{}")
    used.store.put(f"{landing.day_prefix(day)}25/a.json", b"{}")
    used.store.put("other/b.json", b"{}")
    found = every_object_has_a_place(platform=Platform())
    assert not found.passed
    assert found.metadata["objects"].value == 2
    assert found.metadata["such as"].value == f"other/, {landing.day_prefix(day)}25/a.json"


def test_the_schedule_asks_for_the_hour_that_has_ended() -> None:
    moment = datetime(2026, 5, 1, 0, 5, tzinfo=UTC)
    with dg.instance_for_test() as storage:
        request = closed_hour(dg.build_schedule_context(storage, scheduled_execution_time=moment))
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-04-30-23:00"
    assert request.tags["clickstream/trigger"] == "schedule"


def test_the_sensor_asks_for_late_objects_once(used: Stack, instance: dg.DagsterInstance) -> None:
    hour = floor_hour(datetime.now(UTC)) - 5 * HOUR
    load(used, hour, hour + HOUR)
    put_events(used, hour + timedelta(minutes=3))
    context = dg.build_sensor_context(instance=instance, definitions=defs)
    asked = [late_objects(context, platform=Platform()) for _ in range(2)]
    [first], [second] = (result.run_requests for result in asked)
    assert first.run_key == second.run_key
    assert first.tags["dagster/asset_partition_range_start"] == key_of(hour)
    load(used, hour, hour + HOUR)
    assert late_objects(context, platform=Platform()).run_requests == []


def test_a_run_says_who_asked_and_for_which_hours(used: Stack, instance: dg.DagsterInstance) -> None:
    put_events(used, START)
    materialize_hours(instance, START, START + 2 * HOUR)
    materialize_hours(instance, START, START + HOUR, {"clickstream/trigger": "tick"})
    said = [(run.tags["clickstream/trigger"], run.tags["clickstream/hours"]) for run in instance.get_runs()]
    assert said == [("tick", "2026-04-01-23:00"), ("CLI", "2026-04-01-23:00 to 2026-04-02-00:00, 2 hours")]
    assert defs.resolve_job_def("hourly_clickstream").run_tags["clickstream/trigger"] == "UI"


def test_a_rebuild_plots_its_numbers_with_their_units(used: Stack, instance: dg.DagsterInstance) -> None:
    put_events(used, START)
    result = materialize_hours(instance, START, START + HOUR)
    made = {
        name: _numbers(result, name) for name in ("fact_sessions", "fact_orders", "agg_daily_traffic", "fact_events")
    }
    assert made["fact_sessions"] | {"seconds": 0} == {
        "visitors worked on": 1, "rows added": 1, "rows removed": 0, "rows, estimated": 1, "seconds": 0,
    }  # fmt: skip
    assert {"keys worked on", "seconds"} <= set(made["fact_orders"])
    assert made["agg_daily_traffic"]["days worked on"] == 1
    assert made["fact_events"] == {}
    checks = {check.check_name: check.metadata for check in result.get_asset_check_evaluations()}
    assert checks["session_key_is_unique"] == {"failing rows": dg.MetadataValue.int(0)}


def _numbers(result: dg.ExecuteInProcessResult, name: str) -> dict[str, object]:
    metadata = result.asset_materializations_for_node(name)[0].metadata
    return {key: one.value for key, one in metadata.items() if isinstance(one.value, int | float)}


def test_groups_flow_one_way() -> None:
    place = {layer: number for number, layer in enumerate(("raw", "core", "marts", "ops"))}
    models = all_models()
    backwards = [
        (model.name, read)
        for model in models.values()
        for read in model.reads & set(models)
        if place[models[read].layer] > place[model.layer]
    ]
    assert backwards == []


def test_a_table_links_to_the_page_that_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's own modules name the table."""
    monkeypatch.setenv("CLICKSTREAM_DASHBOARD_URL", "https://numbers.shop.example/sbw_dashboard/")
    shown = definition_metadata(all_models()["agg_daily_search"])
    assert shown["dashboard page"].value == "https://numbers.shop.example/sbw_dashboard/?page=search"
    assert shown["sql file"].value == "dbt_like_sql/models/marts/agg_daily_search.sql"
    pages = Path(__file__).resolve().parents[2] / "shiny" / "pages"
    for page, tables in PAGES.items():
        text = "".join(file.read_text() for file in _modules(pages, page, set()))
        assert [table for table in tables if not re.search(rf"\b{table}\b", text)] == [], page


def _modules(pages: Path, name: str, seen: set[Path]) -> set[Path]:
    """A page's module and those of its folder that it imports."""
    file = pages / f"{name}.py"
    if file in seen or not file.exists():
        return seen
    seen.add(file)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pages"):
            _, _, part = str(node.module).partition(".")
            for one in [part] if part else [alias.name for alias in node.names]:
                _modules(pages, one, seen)
    return seen


def test_every_asset_shows_schema_lineage_owner_and_kinds() -> None:
    graph = defs.resolve_asset_graph()
    for name in all_models():
        node = graph.get(dg.AssetKey(name))
        assert node.group_name == all_models()[name].layer
        assert node.owners == ["team:analytics"]
        assert "postgres" in node.kinds
        assert len(node.metadata["dagster/column_schema"].columns) == len(all_models()[name].columns)
