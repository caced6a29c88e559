"""Run one of the programs that kill themselves (killing.py and its like), and read what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from clickstream_dagster.stack import Stack

TESTS = Path(__file__).resolve().parents[1]
_PATHS = os.pathsep.join(map(str, (TESTS.parent, TESTS, TESTS / "warehouse")))


def told_by(program: str, stack: Stack, seconds: int) -> list[dict[str, Any]]:
    """The JSON lines of a program in tests/warehouse, on this warehouse and home. Fails with what it raised."""
    server = stack.server
    environ = os.environ | {
        "CLICKSTREAM_HOME": str(stack.settings.home),
        "DW_PG_HOST": server.host,
        "DW_PG_PORT": str(server.port),
        "DW_PG_DATABASE": server.database,
        "PYTHONPATH": _PATHS,
    }
    done = subprocess.run(
        [sys.executable, TESTS / "warehouse" / program],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return [json.loads(line) for line in done.stdout.splitlines()]
