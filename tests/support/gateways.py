"""The gateway as its command serves it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from clickstream_dagster.local.gateway.api_event import ASGIApp
from clickstream_dagster.local.gateway.serving import config, listen


@contextmanager
def gateway(home: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """`clickstream gateway` on a folder; its port and its process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = os.environ | {"CLICKSTREAM_HOME": str(home)}
    line = [sys.executable, "-c", "from clickstream_dagster.cli import main; main()", "gateway", "--port", str(port)]
    with subprocess.Popen(line, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield port, process
        finally:
            process.kill()


@contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """A gateway in this process, served as the command serves it; its port."""
    listener = listen(port=0)
    server = uvicorn.Server(config(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the gateway did not start in a minute")
