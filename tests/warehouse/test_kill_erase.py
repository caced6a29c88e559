"""Kill an erasure anywhere, let a load come between or not, and run it again: same tables, same objects, same receipt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from clickstream_dagster.stack import Stack

HERE = Path(__file__).parent


def test_a_killed_erasure_is_finished_by_running_it_again(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack()
    environ = os.environ | {
        "CLICKSTREAM_HOME": str(stack.settings.home),
        "DW_PG_HOST": stack.server.host,
        "DW_PG_PORT": str(stack.server.port),
        "DW_PG_DATABASE": stack.server.database,
        "PYTHONPATH": os.pathsep.join(map(str, (HERE.parents[1], HERE.parent, HERE))),
    }
    done = subprocess.run(
        [sys.executable, HERE / "killing_erase.py"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    receipt, *kills = map(json.loads, done.stdout.splitlines())
    assert receipt == {"receipt": "[(7, 5, 2, 0, 3, 1, 3)]"}
    assert {kill["at"] for kill in kills} >= {"before commit", "after commit"}
    assert len(kills) >= 20
    assert [kill for kill in kills if kill["differences"]] == []
