"""Programs that are killed, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

COMMAND = [sys.executable, "-W", "ignore", "-c", "from clickstream_dagster.cli import main; main()"]


def start(command: list[str], environ: dict[str, str], log: Path) -> subprocess.Popen[str]:
    """Start a program; its errors go to the log."""
    with log.open("a") as errors:
        return subprocess.Popen(command, env=os.environ | environ, stdout=subprocess.PIPE, stderr=errors, text=True)


class Kept:
    """A program that is started again when it ends, until `stop`. `on_line` hears what it prints."""

    def __init__(
        self, command: list[str], environ: dict[str, str], log: Path, on_line: Callable[[str], None] = lambda line: None
    ) -> None:
        self.starts = 0
        #: Until it is started again.
        self.pause = 0.3
        self._command, self._environ, self._log, self._on_line = command, environ, log, on_line
        self._is_wanted = True
        self._running: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """As the system does that has no memory left."""
        if self._running:
            with suppress(ProcessLookupError):
                self._running.send_signal(signal.SIGKILL)

    def stop(self) -> None:
        """For good."""
        self._is_wanted = False
        while self._thread.is_alive():  # it may be about to start
            self.kill()
            self._thread.join(0.1)

    def _keep(self) -> None:
        while self._is_wanted:
            self.starts += 1
            self._running = start(self._command, self._environ, self._log)
            assert self._running.stdout
            for line in self._running.stdout:
                self._on_line(line)
            self._running.wait()
            time.sleep(self.pause)
