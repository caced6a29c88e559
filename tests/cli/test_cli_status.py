"""`clickstream status` in a terminal of 24 lines and 80 columns."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import obstore
from cli_command import COMMAND, Command
from obstore.store import LocalStore

from ingest_lambda import landing


def test_it_fits_a_screen(embedded: Command) -> None:
    """After two days of hours, a reject in each, and an object that is owed."""
    (embedded.home / "raw").mkdir(parents=True, exist_ok=True)
    store = LocalStore(str(embedded.home / "raw"))
    now = datetime.now(UTC)
    for hours in range(1, 48):
        _store(store, now - timedelta(hours=hours))
    assert embedded("materialize").code == 0
    _store(store, now - timedelta(hours=3))
    lines = _screen(embedded, "status")
    assert len(lines) <= 24, "\n".join(lines)
    assert max(map(len, lines)) <= 80
    assert any("The books balance" in line for line in lines)
    assert lines[-1] == "Catch up:  clickstream materialize"
    assert "difference" in embedded("status", "--hours", "0").out


def _store(store: LocalStore, received: datetime) -> None:
    obstore.put(store, landing.event_key(received, uuid4()), b'{"event_name": "page_view"}\n')


def _screen(command: Command, *arguments: str) -> list[str]:
    """What a terminal of 80 columns shows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environ = {**command.environment(), "NO_COLOR": "1", "TERM": "dumb"}
    process = subprocess.Popen([str(COMMAND), *arguments], env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65_536):
            shown += part
    except OSError:  # how Linux says that the other side has closed
        pass
    process.wait(60)
    return shown.decode().replace("\r", "").rstrip("\n").split("\n")
