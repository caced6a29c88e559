"""`clickstream serve`, `dashboard` and `gateway` as a person starts and stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from three_servers import ALIVE, COMMANDS, Three, answers, children, free_port, start, until

ROOT = Path(__file__).resolve().parents[2]
#: Seconds. A person waits for it; the machine of the tests may be busy.
SOON = 30


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("told", ["Ctrl-C", "SIGTERM"])
def test_it_ends_soon_and_quietly(three: Three, tmp_path: Path, name: str, told: str) -> None:
    port, log = free_port(), tmp_path / "log"
    process = start(three.command, COMMANDS[name], port, log)
    until(lambda: answers(f"http://127.0.0.1:{port}{ALIVE[name]}"), process, log)
    if told == "Ctrl-C":
        os.killpg(process.pid, signal.SIGINT)  # a terminal tells the group that stands in front
    else:
        process.terminate()
    process.wait(SOON)
    deadline = time.monotonic() + SOON
    while (left := children(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []
    said = log.read_text()
    assert "Traceback" not in said, said
    assert "ERROR" not in said, said
    assert f"http://127.0.0.1:{port}" in said


@pytest.mark.parametrize("part", ["clickstream_dagster.webserver", "dagster._daemon"])
def test_serve_ends_when_one_of_its_parts_does(three: Three, tmp_path: Path, part: str) -> None:
    port, log = free_port(), tmp_path / "log"
    process = start(three.command, "serve", port, log)
    until(lambda: answers(f"http://127.0.0.1:{port}/server_info"), process, log)
    subprocess.run(["pkill", "-KILL", "-s", str(process.pid), "-f", part], check=True)
    assert process.wait(SOON) is not None


def test_the_address_that_is_listened_on_is_a_name_of_ours(three: Three, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    process = start(three.command, "gateway", port, log, "--host", "127.0.0.2")
    try:
        until(lambda: answers(f"http://127.0.0.2:{port}/healthz"), process, log)
    finally:
        process.terminate()
        process.wait(SOON)


def test_a_name_that_cannot_be_one_is_refused_before_anything_starts(three: Three) -> None:
    for name in COMMANDS.values():
        ran = three.command(name, "--port", str(free_port()), CLICKSTREAM_HOSTS="https://shop.example")
        assert "without scheme and port" in ran.sentence


def test_the_demo_serves_through_the_same_front() -> None:
    source = (ROOT / "clickstream_dagster" / "cli" / "demo.py").read_text()
    assert "dashboard_server(stack, host, dashboard_port), *dagster_servers(stack, host, port)" in source


def test_what_a_tunnel_opens_on_the_machine_is_served_through_the_front() -> None:
    from infra_cfn.commands.tunnel import DOORS

    units = ROOT / "infra_cfn" / "instance" / "systemd"
    for door, unit, module in (
        ("dagster", "webserver", " -m clickstream_dagster.webserver "),
        ("dashboard", "dashboard", " clickstream_dagster.front.dashboard:site "),
    ):
        [line] = [
            text
            for text in (units / f"clickstream-{unit}.service").read_text().splitlines()
            if text.startswith("ExecStart=")
        ]
        assert module in line
        assert f"--host 127.0.0.1 --port {DOORS[door][0]} " in line
        assert DOORS[door][1].startswith("http://127.0.0.1:"), "a name that the front answers to"


def test_nothing_of_ours_starts_dagster_s_own_webserver() -> None:
    for folder in ("clickstream_dagster", "infra_cfn", "shiny"):
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in (".py", ".sh", ".service", ".yaml"):
                text = file.read_text()
                assert "bin/dagster-webserver" not in text, file
                assert '"dagster", "dev"' not in text, file
