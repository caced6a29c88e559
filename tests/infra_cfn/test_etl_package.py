"""The tick's package as Lambda runs it: S3, Parameter Store and PostgreSQL by TCP, with the rights of its two logins."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import msgspec
import pytest

from clickstream_dagster.warehouse.connection import connect, transaction
from clickstream_dagster.warehouse.ledger import ledger
from infra_cfn.packages.contents import ETL
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order
from ingest_lambda.operations import OperationalMetric
from support.clouds import PARAMETERS, ROOT, Cloud, cloud
from support.lambdas import Function, FunctionError, running
from support.metrics import metrics_of
from support.packages import unpacked
from support.servers import DAGSTER, LOADER

pytestmark = pytest.mark.usefixtures("wheels")
T = datetime(2025, 12, 6, 5, tzinfo=UTC)
TICK = {"targetUtcHour": T.isoformat()}
HANDLER = "clickstream_dagster.lambda_entrypoint.handler"


@pytest.fixture(scope="module")
def package() -> Iterator[Path]:
    with unpacked(ETL) as task:
        yield task


@pytest.fixture(scope="module")
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("etl") / "log"


@pytest.fixture(scope="module")
def tick(package: Path, aws: Cloud, log: Path) -> Iterator[Function]:
    """A Lambda with one hour of events before it."""
    happened = T + timedelta(minutes=7)
    lines = [
        contract.encode(Event(uuid4(), "purchase", happened, happened, client_id=who, order=Order(id=who)))
        for who in ("ann", "bob")
    ]
    key = landing.event_key(T, uuid4())
    aws.client("s3").put_object(Bucket=aws.bucket, Key=key, Body=b"\n".join([*lines, lines[0], b"broken"]))
    number = OperationalMetric(T, "api", "requests", 7, "Count")
    aws.client("s3").put_object(Bucket=aws.bucket, Key=landing.operations_key(T), Body=msgspec.json.encode(number))
    with running(package, HANDLER, log, **aws.environ) as function:
        yield function


@pytest.fixture(scope="module")
def answer(tick: Function) -> dict[str, Any]:
    """What the first tick says, from a cold start."""
    return dict(tick.call(TICK))


def test_a_tick_loads_its_hour(answer: dict[str, Any], aws: Cloud) -> None:
    assert [run["success"] for run in answer["runs"]] == [True]
    assert answer["partition"] == "2025-12-06-05:00"
    with aws.stack.warehouse() as connection:
        [books] = ledger(connection)
        assert (books.received, books.loaded, books.duplicate, books.rejected) == (4, 2, 1, 1)
        assert books.difference == 0
        with transaction(connection) as cursor:
            cursor.execute("select count(*) from fact_orders")
            assert cursor.fetchone() == (2,)
            cursor.execute("select source, metric, value from operational_metrics")
            assert cursor.fetchall() == [("api", "requests", 7.0)]


def test_its_run_and_its_partition_stand_in_the_server_s_dagster(
    answer: dict[str, Any], aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKSTREAM_DAGSTER_URL", aws.dagster_url)
    with dg.DagsterInstance.from_config(str(ROOT)) as dagster:
        [run] = dagster.get_runs()
        assert (run.run_id, run.job_name, run.status.value) == (
            answer["runs"][0]["run_id"],
            "hourly_clickstream",
            "SUCCESS",
        )
        assert run.tags["dagster/partition"] == "2025-12-06-05:00"
        keys = dagster.get_materialized_partitions(dg.AssetKey("clickstream_events"))
        assert keys == {"2025-12-06-05:00"}


def test_a_second_tick_in_the_same_process_changes_nothing(tick: Function, answer: dict[str, Any], aws: Cloud) -> None:
    assert tick.call(TICK)["runs"][0]["success"]
    with aws.stack.warehouse() as connection:
        [books] = ledger(connection)
    assert (books.received, books.loaded) == (4, 2)


def test_the_log_tells_cloudwatch_of_the_tick(answer: dict[str, Any], tick: Function) -> None:
    line = next(line for line in tick.lines() if line.get("message") == "tick")
    service, numbers = metrics_of(line)
    assert service == "etl"
    assert (numbers["HoursLoaded"], numbers["HoursOwed"], numbers["EventsLoaded"]) == (1, 0, 2)
    assert (numbers["Anomalies"], line["anomalies"]) == (0, [])
    assert numbers["FreshnessMinutes"] > 60 * 24 * 300, "the only hour that is loaded lies long ago"
    assert 0 < numbers["TickSeconds"] == answer["seconds"]
    assert "DiskFreePercent" not in numbers, "no machine has said"


def test_the_disk_is_what_the_machine_has_said_of_it_lately(answer: dict[str, Any], tick: Function, aws: Cloud) -> None:
    connection = connect(replace(aws.administrator, database="clickstream_dw"))

    def told_after(age: str, down: str | None = None) -> dict[str, float]:
        with transaction(connection) as cursor:
            cursor.execute("truncate machine_health")
            cursor.execute(
                "insert into machine_health (hour, measured_at, disk_total_bytes, disk_free_bytes, memory_available_bytes,"
                " services_down) values (date_trunc('hour', now()), now() - %s::interval, 1000, 123, 300 << 20, %s)",
                (age, down),
            )
        tick.call(TICK)
        return metrics_of([line for line in tick.lines() if line.get("message") == "tick"][-1])[1]

    assert told_after("50 minutes")["DiskFreePercent"] == 12.3
    assert told_after("50 minutes")["BackupAgeHours"] < 1.1, "a machine that has made none is as late as it is old"
    assert told_after("50 minutes")["MemoryAvailableMB"] == 300
    assert "ServicesDown" not in told_after("50 minutes"), "a machine of an older release does not tell"
    assert [told_after("1 minute", down)["ServicesDown"] for down in ("", "dashboard", "location webserver")] == [
        0,
        1,
        2,
    ]
    assert not told_after("5 hours", "dashboard").keys() & {"DiskFreePercent", "ServicesDown"}, (
        "that says nothing of now"
    )
    connection.close()


def test_the_log_has_no_secret_and_nobody_in_it(answer: dict[str, Any], aws: Cloud, log: Path) -> None:
    text = log.read_text()
    assert '"partition":"2025-12-06-05:00"' in text
    assert [word for word in (LOADER[1], DAGSTER[1], "ann", "bob", "Traceback") if word in text] == []


def test_a_tick_asks_dagster_s_database_by_a_few_connections(
    tick: Function, answer: dict[str, Any], aws: Cloud
) -> None:
    def connections() -> int:
        connection = connect(aws.administrator)
        with transaction(connection) as cursor:
            cursor.execute("select sessions from pg_stat_database where datname = 'dagster'")
            [(count,)] = cursor.fetchall()
        connection.close()
        return int(count)

    before = connections()
    assert before > 0
    assert tick.call(TICK)["runs"][0]["success"]
    time.sleep(1.5)  # PostgreSQL counts them with some delay
    # 63 with today's tables. One for each question would be some nine hundred.
    assert connections() - before < 80


def test_a_bad_event_is_an_error_that_says_what_to_send(tick: Function) -> None:
    with pytest.raises(FunctionError, match="one of them names the hour"):
        tick.call({})


@pytest.mark.parametrize(("login", "parameter"), [(LOADER, "loader_password"), (DAGSTER, "dagster_password")])
def test_a_password_that_was_changed_is_read_again_after_one_failure(
    package: Path, aws: Cloud, tmp_path: Path, answer: dict[str, Any], login: tuple[str, str], parameter: str
) -> None:
    """Lambda tries a failed tick again in the same process."""

    def change(password: str) -> None:
        connection = connect(aws.administrator)
        with transaction(connection) as cursor:
            cursor.execute(f"alter role {login[0]} password %s", (password,))
            # What a new tick meets an hour later: no connection of before is left.
            cursor.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (login[0],))
        connection.close()
        aws.client("ssm").put_parameter(
            Name=PARAMETERS + parameter, Value=password, Type="SecureString", Overwrite=True
        )

    with running(package, HANDLER, tmp_path / "log", **aws.environ) as function:
        assert function.call(TICK)["runs"][0]["success"]
        change("another")
        try:
            with pytest.raises(FunctionError, match=r"password authentication failed|server closed the connection"):
                function.call(TICK)
            assert function.call(TICK)["runs"][0]["success"]
        finally:
            change(login[1])


def test_a_password_that_is_not_there_says_where_it_comes_from(package: Path, aws: Cloud, tmp_path: Path) -> None:
    environ = {**aws.environ, "CLICKSTREAM_PARAMETERS": "/clickstream/other/warehouse"}
    with (
        running(package, HANDLER, tmp_path / "log", **environ) as function,
        pytest.raises(FunctionError, match="writes them at its first boot") as raised,
    ):
        function.call(TICK)
    assert "/clickstream/other/warehouse/loader_password" in str(raised.value)
    assert json.loads(str(raised.value))["errorType"] == "SettingsError"


def test_a_password_that_is_wrong_says_which_login_it_was(package: Path, aws: Cloud, tmp_path: Path) -> None:
    other = "/clickstream/wrong/warehouse/"
    for name in ("loader_password", "dagster_password"):
        aws.client("ssm").put_parameter(Name=other + name, Value="wrong", Type="SecureString")
    environ = {**aws.environ, "CLICKSTREAM_PARAMETERS": other}
    refused = r"'clickstream_loader': FATAL: *password authentication failed"
    with (
        running(package, HANDLER, tmp_path / "log", **environ) as function,
        pytest.raises(FunctionError, match=refused),
    ):
        function.call(TICK)
