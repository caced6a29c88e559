"""Programs that run beside a test."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

#: Seconds to end in when told.
GRACE = 10


@contextmanager
def running(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program for as long as the block runs. Node.js waits for connections that a browser opens ahead of time, without end, and
    Dagster's servers take their time: what is still there after a while is killed."""
    process = subprocess.Popen(command, env={**os.environ, **environ}, process_group=0)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Tell a program to stop, and kill it with what it has started when it does not. It leads a group of its own."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
