"""What goes wrong around the command: one sentence with the next step, a failing exit code, and nothing half done."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest
from cli_command import Command

from clickstream_dagster.cli.main import sentence
from clickstream_dagster.settings import SettingsError

EVENT = b'{"event_name": "page_view", "client_id": "c-1", "event_timestamp": "2026-03-01T10:00:00Z"}\n'
NO_S3 = {
    "RAW_BUCKET_NAME": "no-bucket",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}
NO_SERVER = {"DW_PG_HOST": "127.0.0.1", "DW_PG_PORT": "1", "DW_PG_PASSWORD": "it's a secret"}
AHEAD = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"

ENVIRONMENTS = {
    "a time zone": ({"CLICKSTREAM_TIMEZONE": "Mars/Olympus"}, "use a name such as Europe/Berlin"),
    "a folder of time zones": ({"CLICKSTREAM_TIMEZONE": "Europe"}, "use a name such as Europe/Berlin"),
    "funnel steps": ({"CLICKSTREAM_FUNNEL_STEPS": "purchase"}, "two or more different event names"),
    "a first hour": ({"CLICKSTREAM_FIRST_HOUR": "soon"}, "use 2026-01-01T00:00Z"),
    "a port": ({**NO_SERVER, "DW_PG_PORT": "five"}, "a whole number"),
    "a closed port": (NO_SERVER, "Check the DW_PG_* variables"),
    "no such host": ({"DW_PG_HOST": "no-such-host.invalid"}, "Check the DW_PG_* variables"),
}
ARGUMENTS = {
    "no such command": (["lod"], "clickstream -h"),
    "no such option": (["status", "--hour", "1"], "clickstream status -h"),
    "no query": (["sql"], "clickstream sql -h"),
    "no files": (["import"], "clickstream import -h"),
    "not a time": (["materialize", "--from", "yesterday"], "use 2026-11-20"),
    "beyond time": (["materialize", "--from", "0001-01-01T00:00+05:00"], "use 2026-11-20"),
    "the wrong way round": (["materialize", "--from", "2026-03-02", "--to", "2026-03-01"], "swap them"),
    "a future end": (["materialize", "--to", AHEAD], "name an hour that has begun"),
    "a future beginning": (["materialize", "--from", AHEAD], "name an hour that has begun"),
    "before the first partition": (
        ["materialize", "--from", "2025-12-31", "--to", "2025-12-31"],
        "FIRST_HOUR=2025-12-31",
    ),
    "no such port": (["gateway", "--port", "70000"], "clickstream gateway -h"),
    "hours that are none": (["status", "--hours", "-1"], "clickstream status -h"),
}


@pytest.mark.parametrize(("environ", "step"), ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def test_an_environment_that_cannot_be_used_is_said_in_one_sentence(
    clickstream: Command, environ: dict[str, str], step: str
) -> None:
    said = clickstream("status", **environ).sentence
    assert step in said
    assert "secret" not in said
    assert not clickstream.home.exists()


@pytest.mark.parametrize(("arguments", "step"), ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_arguments_that_cannot_be_used_are_said_in_one_sentence(
    clickstream: Command, arguments: list[str], step: str
) -> None:
    assert step in clickstream(*arguments).sentence
    assert not clickstream.home.exists()


def test_without_a_command_the_help_is_shown(clickstream: Command) -> None:
    shown, asked = clickstream(), clickstream("-h")
    assert shown.code != 0
    assert asked.code == 0
    assert "clickstream demo" in shown.err
    assert shown.err.strip() == asked.out.strip()


@pytest.mark.parametrize("command", ["status", "import", "demo"])
@pytest.mark.parametrize("inside", [False, True])
def test_a_home_that_is_a_file_or_inside_one_is_refused(
    clickstream: Command, tmp_path: Path, command: str, inside: bool
) -> None:
    (tmp_path / "events.ndjson").write_bytes(EVENT)
    (tmp_path / "file").write_text("mine")
    arguments = {"status": [], "import": ["events.ndjson"], "demo": ["--no-serve", "--days", "1"]}[command]
    home = tmp_path / "file" / "home" if inside else tmp_path / "file"
    assert "CLICKSTREAM_HOME" in clickstream(command, *arguments, CLICKSTREAM_HOME=str(home)).sentence
    assert (tmp_path / "file").read_text() == "mine"


def test_a_home_whose_postgresql_is_broken_is_said_with_its_log(clickstream: Command) -> None:
    (clickstream.home / "postgres").mkdir(parents=True)
    (clickstream.home / "postgres" / "PG_VERSION").write_text("garbage")
    said = clickstream("status").sentence
    assert "does not start" in said
    assert "or set CLICKSTREAM_HOME elsewhere" in said


@pytest.mark.parametrize("command", ["import", "materialize", "status"])
def test_a_bucket_that_does_not_answer_is_said_in_one_sentence(
    on_server: Command, tmp_path: Path, command: str
) -> None:
    (tmp_path / "events.ndjson").write_bytes(EVENT)
    files = [tmp_path / "events.ndjson"] if command == "import" else []
    ran = on_server(command, *files, **NO_S3)
    assert "The raw bucket does not answer" in ran.sentence
    assert "Check RAW_BUCKET_NAME and the AWS_* variables" in ran.sentence


def test_a_bucket_name_that_is_no_bucket_is_said_in_one_sentence(clickstream: Command, tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(EVENT)
    assert "Check RAW_BUCKET_NAME" in clickstream("import", "events.ndjson", RAW_BUCKET_NAME="http://x").sentence


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("command", ["gateway", "serve"])
def test_a_taken_port_is_said_with_the_way_to_another_one(clickstream: Command, taken: int, command: str) -> None:
    ran = clickstream(command, "--port", str(taken))
    assert f"Port {taken} on 127.0.0.1 cannot be used (Address already in use)" in ran.sentence
    assert "choose another with --port" in ran.sentence
    assert ran.out == ""


def test_a_host_that_is_not_here_is_refused(clickstream: Command) -> None:
    assert "--host" in clickstream("gateway", "--host", "203.0.113.1").sentence


@pytest.mark.parametrize("environ", [NO_SERVER, NO_S3])
def test_the_demo_never_invents_traffic_on_a_server(clickstream: Command, environ: dict[str, str]) -> None:
    assert "unset DW_PG_HOST and RAW_BUCKET_NAME" in clickstream("demo", "--no-serve", **environ).sentence
    assert not clickstream.home.exists()


def test_the_demo_never_mixes_with_events_of_your_own(clickstream: Command, tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(EVENT)
    assert clickstream("import", "events.ndjson").code == 0
    before = clickstream.stored()
    assert "Set CLICKSTREAM_HOME to another folder" in clickstream("demo", "--no-serve", "--days", "1").sentence
    assert clickstream.stored() == before
    assert not (clickstream.home / "demo.json").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SettingsError("Set it."), "Set it."),
        (
            psycopg2.OperationalError("server closed the connection\nmore"),
            "PostgreSQL stopped answering: server closed",
        ),
        (psycopg2.InterfaceError("connection already closed"), "run the same command again"),
        (psycopg2.errors.InsufficientPrivilege("permission denied"), "grant it what is missing"),
        (OSError(28, "No space left on device"), "has free space"),
    ],
)
def test_an_error_of_the_surroundings_is_one_sentence(error: Exception, said: str) -> None:
    told = sentence(error)
    assert told
    assert said in told
    assert "\n" not in told


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), psycopg2.errors.UndefinedColumn("x")])
def test_a_defect_of_ours_keeps_its_traceback(error: Exception) -> None:
    assert sentence(error) is None
