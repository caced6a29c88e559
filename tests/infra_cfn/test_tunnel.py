"""Ports of the machine on this computer, by a stand-in of AWS's plugin."""

from __future__ import annotations

import http.server
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra_cfn.commands import tunnel
from infra_cfn.commands.account import Trouble, client

#: Stands for AWS's plugin, which needs a session of AWS: it listens where it is told to.
PLUGIN = """#!{python}
import json, socket, sys
session, region, operation, profile, asked, endpoint = sys.argv[1:]
assert json.loads(session)["TokenValue"] and region == "eu-central-1" and operation == "StartSession"
listener = socket.create_server(("127.0.0.1", int(json.loads(asked)["Parameters"]["localPortNumber"][0])))
while True:
    listener.accept()[0].close()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """SSM's answer to StartSession, which no emulator gives, from a server of this test; and a plugin with this text."""

    class Ssm(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert asked["DocumentName"] == "AWS-StartPortForwardingSession" and asked["Target"] == "i-1"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"SessionId": "s", "TokenValue": "t", "StreamUrl": "wss://x"}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ssm)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    client.cache_clear()

    def install(text: str) -> None:
        program = tmp_path / tunnel.PLUGIN
        program.write_text(text.replace("{python}", sys.executable))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    yield install
    server.shutdown()
    client.cache_clear()


def test_a_tunnel_opens_what_is_asked_for_and_closes_it(session: Callable[[str], None]) -> None:
    session(PLUGIN)
    wanted = {"dagster": free_port(), "postgres": free_port()}
    with tunnel.forwards("i-1", wanted):
        assert all(tunnel._answers(port) for port in wanted.values())
    assert not any(tunnel._answers(port) for port in wanted.values())


def test_a_tunnel_that_does_not_open_says_why(session: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    session("#!/bin/sh\necho 'TargetNotConnected' >&2; exit 1\n")
    with (
        pytest.raises(Trouble, match=r"tunnel to dagster ended at once.*TargetNotConnected"),
        tunnel.forwards("i-1", {"dagster": free_port()}),
    ):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(Trouble, match=f"Port {port} is taken.*--port dagster="),
            tunnel.forwards("i-1", {"dagster": port}),
        ):
            pass
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Trouble, match="is not installed"), tunnel.forwards("i-1", {"dagster": 1}):
        pass
