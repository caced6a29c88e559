"""Kill a replay anywhere and run it again: the tables of a load by the new rules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from clickstream_dagster.stack import Stack

HERE = Path(__file__).parent


def test_a_killed_replay_is_finished_by_running_it_again(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack()
    server = stack.server
    environ = os.environ | {
        "CLICKSTREAM_HOME": str(stack.settings.home),
        "DW_PG_HOST": server.host,
        "DW_PG_PORT": str(server.port),
        "DW_PG_DATABASE": server.database,
        "PYTHONPATH": f"{HERE.parents[1]}{os.pathsep}{HERE.parent}",
    }
    done = subprocess.run(
        [sys.executable, HERE / "killing_replay.py"], env=environ, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stderr[-6000:]
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert {kill["at"] for kill in kills} == {"before commit", "after commit", "statement"}
    assert len(kills) > 20
    assert [kill for kill in kills if kill["differences"]] == []
