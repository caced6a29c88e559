"""Servers that run side by side until they are stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clickstream_dagster.cli.show import console

#: Seconds that a server has to end when told: Node.js waits for ever for a connection that a browser holds open, just in case.
GRACE = 10


@dataclass(frozen=True)
class Server:
    """A program that serves a page, or, without a `url`, one that helps it. `environ` is added to this process's own. Those
    after it start when it has made the file `opens`."""

    title: str
    url: str
    command: Sequence[str]
    environ: Mapping[str, str]
    opens: Path | None = None


def run_until_stopped(servers: Sequence[Server]) -> None:
    """Start the servers, print their links, and end all of them when one ends, or on Ctrl-C, SIGTERM or a closed terminal.
    Exits with the code of the one that ended by itself."""
    # A shell starts background programs with SIGINT ignored; Dagster would then ignore SIGTERM as well, and never end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    running: list[subprocess.Popen[bytes]] = []

    def stop(*_: object) -> None:
        for process in running:
            process.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    pages = [server for server in servers if server.url]
    for server in pages:
        console.print(f"{server.title}: {server.url}", soft_wrap=True)
    console.print("Ctrl-C stops it." if len(pages) == 1 else "Ctrl-C stops them.")
    with suppress(KeyboardInterrupt):
        for server in servers:
            # A group of its own: the terminal tells us alone, and not a process that it is only just starting.
            environ = {**os.environ, **server.environ}
            running.append(subprocess.Popen(server.command, env=environ, process_group=0))
            if not _is_open(server, running[-1]):
                break
        while all(process.poll() is None for process in running):
            time.sleep(0.2)
    stop()
    sys.exit(max(_end(process) for process in running))


def _end(process: subprocess.Popen[bytes]) -> int:
    """The exit code of a server that was told to stop, and is killed with what it has started when it does not."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _is_open(server: Server, process: subprocess.Popen[bytes]) -> bool:
    """Wait until those after it may start. False when it has ended instead."""
    while server.opens and not server.opens.exists():
        if process.poll() is not None:
            return False
        time.sleep(0.05)
    return True
