"""The three servers as `clickstream` starts them, on one small warehouse; and a stranger's page beside them."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli_command import COMMAND, Command

PORTS = ("dagster", "dashboard", "gateway")
#: What answers when a server is up.
ALIVE = {"dagster": "/server_info", "dashboard": "/healthz", "gateway": "/healthz"}
COMMANDS = {"dagster": "serve", "dashboard": "dashboard", "gateway": "gateway"}


@dataclass(frozen=True)
class Three:
    """Their ports, by name."""

    command: Command
    ports: Mapping[str, int]

    def url(self, name: str, host: str = "127.0.0.1") -> str:
        """Where one of them is reached."""
        return f"http://{host}:{self.ports[name]}"

    def graphql(self, query: str) -> dict[str, Any]:
        """Dagster's answer to a program."""
        request = urllib.request.Request(
            self.url("dagster") + "/graphql",
            json.dumps({"query": query}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            data: dict[str, Any] = json.load(answer)["data"]
        return data

    def runs(self) -> list[str]:
        """The ids of all runs."""
        found = self.graphql("{ runsOrError { ... on Runs { results { runId } } } }")
        return sorted(run["runId"] for run in found["runsOrError"]["results"])

    def materialized(self, asset: str) -> bool:
        """Does Dagster know of a materialization of it? A wiped asset has none."""
        found = self.graphql(
            f'{{ assetOrError(assetKey: {{path: ["{asset}"]}}) {{ ... on Asset {{ '
            "assetMaterializations(limit: 1) { timestamp } } } }"
        )
        return bool(found["assetOrError"].get("assetMaterializations"))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def three_servers(command: Command, folder: Path) -> Iterator[Three]:
    """Start them; the block begins when all answer and Dagster has loaded our code."""
    three = Three(command, {name: free_port() for name in PORTS})
    started = {name: start(command, COMMANDS[name], three.ports[name], folder / f"{name}.log") for name in PORTS}
    try:
        for name, process in started.items():
            until(lambda name=name: answers(three.url(name) + ALIVE[name]), process, folder / f"{name}.log")
        yield three
    finally:
        for process in started.values():
            process.send_signal(signal.SIGTERM)
        for process in started.values():
            process.wait(60)


def start(command: Command, name: str, port: int, log: Path, *more: str) -> subprocess.Popen[bytes]:
    """`clickstream NAME --port PORT` in a session of its own, as a terminal gives it."""
    with log.open("wb") as out:
        return subprocess.Popen(
            [str(COMMAND), name, "--port", str(port), *more],
            env=command.environment(),
            cwd=command.home.parent,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def until(condition: Any, process: subprocess.Popen[bytes], log: Path, seconds: float = 180) -> None:
    """Wait for a server."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def answers(url: str) -> bool:
    """Is there a server that is well?"""
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except OSError:
        return False


@contextmanager
def strangers_page() -> Iterator[int]:
    """A server with an empty page for every path, on a port of its own."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>a stranger's page</title><body></body>")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def children(session: int) -> list[str]:
    """What still runs of a session: Linux only, like the servers' machine."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == session:
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
