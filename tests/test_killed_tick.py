"""A tick that is killed half-way: the server's monitoring fails its run, the next tick repairs the hour, the books balance,
and the run stands on its job's page, where it can be executed again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from clickstream_dagster import instance as dagster_instance
from clickstream_dagster.partitions import key_of
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, connect, create_database
from clickstream_dagster.warehouse.ledger import ledger
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order
from support.programs import running

SERVER = Path(__file__).resolve().parents[1] / "infra_cfn" / "instance" / "dagster"
T = datetime(2025, 12, 6, 5, tzinfo=UTC)
TICK = {"targetUtcHour": T.isoformat()}
_TICK = f"from clickstream_dagster.lambda_entrypoint import handler; handler({TICK!r})"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(check: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := check():
                return found
        except OSError:
            pass
        time.sleep(0.3)
    raise AssertionError(f"{what}: not within {seconds} seconds")


@dataclass(frozen=True)
class Server:
    """A warehouse, and the three Dagster processes of its machine with the machine's own configuration."""

    stack: Stack
    tick_environ: dict[str, str]
    url: str

    def start_tick(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", _TICK], env={**os.environ, **self.tick_environ})

    def connect(self) -> Connection:
        return connect(self.stack.server)

    def ask(self, query: str, **variables: object) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer)
        assert "errors" not in found, found
        return found["data"]

    def runs_of_the_job(self) -> list[dict[str, Any]]:
        """What the job's own page lists, latest first."""
        query = """query ($in: PipelineSelector!) { pipelineOrError(params: $in) {
            ... on Pipeline { runs { runId status tags { key value } } } } }"""
        selector = {
            "pipelineName": "hourly_clickstream",
            "repositoryName": "__repository__",
            "repositoryLocationName": "clickstream",
        }
        return list(self.ask(query, **{"in": selector})["pipelineOrError"]["runs"])

    def partition(self) -> str:
        """What the asset's page says of the hour."""
        query = """{ assetNodeOrError(assetKey: {path: ["clickstream_events"]}) { ... on AssetNode {
            assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } } } } }"""
        ranges = self.ask(query)["assetNodeOrError"]["assetPartitionStatuses"]["ranges"]
        covering = [part["status"] for part in ranges if part["startKey"] <= key_of(T) <= part["endKey"]]
        return str(covering[0]) if covering else "MISSING"


@pytest.fixture(scope="module")
def server(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    login = replace(postgres, database="killed_tick")
    create_database(postgres, login.database)
    create_database(postgres, "killed_tick_dagster")
    environ = {
        "CLICKSTREAM_HOME": str(folder),
        "CLICKSTREAM_FIRST_HOUR": "2025-12-01T00:00Z",
        "CLICKSTREAM_TICK_SECONDS": "1",
        "DW_PG_HOST": login.host,
        "DW_PG_PORT": str(login.port),
        "DW_PG_DATABASE": login.database,
        "DAGSTER_PG_DATABASE": "killed_tick_dagster",
        "CLICKSTREAM_DAGSTER_URL": dagster_instance.url(replace(login, database="killed_tick_dagster")),
    }
    location, webserver = _free_port(), _free_port()
    home = folder / "server"
    home.mkdir()
    said = (SERVER / "dagster.yaml").read_text() + (SERVER / "compute_logs_folder.yaml").read_text()
    said = said.replace("@FOLDER@", str(home / "compute_logs"))
    assert "poll_interval_seconds: 60" in said
    (home / "dagster.yaml").write_text(said.replace("poll_interval_seconds: 60", "poll_interval_seconds: 1"))
    workspace = home / "workspace.yaml"
    workspace.write_text((SERVER / "workspace.yaml").read_text().replace("port: 4000", f"port: {location}"))
    url = f"http://127.0.0.1:{webserver}"
    module = ["--module-name", "clickstream_dagster.definitions", "--location-name", "clickstream"]
    commands = [
        ["dagster", "api", "grpc", *module, "--host", "127.0.0.1", "--port", str(location)],
        ["dagster_webserver", "--host", "127.0.0.1", "--port", str(webserver), "--workspace", str(workspace)],
        ["dagster._daemon", "run", "--workspace", str(workspace)],
    ]
    stack = Stack(load_settings(environ))
    with stack.warehouse():
        pass
    with ExitStack() as ending:
        for command in commands:
            quiet = [sys.executable, "-W", "ignore", "-m", *command, "--log-level", "warning"]
            ending.enter_context(running(quiet, {**environ, "DAGSTER_HOME": str(home)}))
            if "grpc" in command:
                _until(lambda: socket.create_connection(("127.0.0.1", location), 1).close() or True, "the location")
        found = Server(stack, {**environ, "DAGSTER_HOME": ""}, url)
        _until(lambda: found.ask("{ version }"), "the webserver")
        yield found


@pytest.fixture(scope="module")
def killed(server: Server) -> str:
    """A tick that is killed with its events staged and about to be merged; its run."""
    moment = T + timedelta(minutes=7)
    events = [
        Event(uuid4(), "purchase", moment, moment, client_id=name, order=Order(id=name)) for name in ("ann", "bob")
    ]
    server.stack.store.put(landing.event_key(T, uuid4()), b"\n".join(map(contract.encode, events)))
    blocker, watcher = server.connect(), server.connect()
    watcher.autocommit = True
    with blocker.cursor() as held, watcher.cursor() as seen:
        held.execute("lock table clickstream_events in share mode")
        tick = server.start_tick()

        def is_waiting() -> bool:
            assert tick.poll() is None, "the tick has ended"
            seen.execute("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
            return bool(seen.rowcount)

        _until(is_waiting, "the tick in its middle")
        assert server.partition() == "MATERIALIZING"
        tick.send_signal(signal.SIGKILL)
        tick.wait()
    blocker.close()
    watcher.close()
    [run] = server.runs_of_the_job()
    assert run["status"] == "STARTED"
    return str(run["runId"])


@pytest.fixture(scope="module")
def failed(server: Server, killed: str) -> str:
    """The same, once the daemon's monitoring has looked at it."""

    def is_over() -> bool:
        return server.runs_of_the_job()[0]["status"] == "FAILURE"

    _until(is_over, "the run is failed")
    return killed


def test_the_monitoring_fails_its_run_and_frees_its_hour(server: Server, failed: str) -> None:
    [run] = server.runs_of_the_job()
    assert run["runId"] == failed
    assert {"key": "dagster/max_runtime", "value": "1"} in run["tags"]
    assert server.partition() == "FAILED"


@pytest.fixture(scope="module")
def repaired(server: Server, failed: str) -> list[dict[str, Any]]:
    """The runs after the next tick."""
    assert server.start_tick().wait(120) == 0
    return server.runs_of_the_job()


def test_the_next_tick_repairs_the_hour_and_the_books_balance(server: Server, repaired: list[dict[str, Any]]) -> None:
    assert [run["status"] for run in repaired] == ["SUCCESS", "FAILURE"]
    assert server.partition() == "MATERIALIZED"
    with server.stack.warehouse() as connection:
        [books] = ledger(connection)
        assert (books.received, books.loaded, books.difference) == (2, 2, 0)
        with connection.cursor() as cursor:
            cursor.execute("select (select count(*) from fact_orders), (select count(*) from fact_sessions)")
            assert cursor.fetchone() == (2, 2)
            cursor.execute("select (select count(*) from changed_keys) + (select count(*) from changed_spans)")
            assert cursor.fetchone() == (0,)


AGAIN = """
mutation ($run: String!, $tags: [ExecutionTag!]!) {
  launchRunReexecution(reexecutionParams: {parentRunId: $run, strategy: ALL_STEPS, extraTags: $tags}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""


def test_the_killed_run_can_be_executed_again_from_the_ui(
    server: Server, failed: str, repaired: list[dict[str, Any]]
) -> None:
    # It takes over the tags, and with them the one second that this file gives a tick.
    answer = server.ask(AGAIN, run=failed, tags=[{"key": "dagster/max_runtime", "value": "600"}])[
        "launchRunReexecution"
    ]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    again = answer["run"]["runId"]

    def status() -> str | None:
        [run] = [run for run in server.runs_of_the_job() if run["runId"] == again]
        return run["status"] if run["status"] in ("SUCCESS", "FAILURE") else None

    assert _until(status, "the run again") == "SUCCESS"
