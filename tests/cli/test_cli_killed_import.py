"""An import of a large file that is killed leaves no process behind, and is finished by running it again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from cli_command import COMMAND, Command

ROWS = 60_000
MAPPING = "columns: {event_name: what, event_timestamp: at, client_id: who, props.note: note}\n"


def written(path: Path) -> Path:
    rows = (
        f"page_view,2026-03-01T{number % 24:02}:00:00Z,c-{number % 900},{'a note ' * 6}{number}"
        for number in range(ROWS)
    )
    path.write_text("\n".join(["what,at,who,note", *rows]))
    path.with_suffix(".yml").write_text(MAPPING)
    return path


def children(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = psutil.Process(process.pid).children(recursive=True)
        if len(found) > 1 and all("spawn_main" in " ".join(one.cmdline()) for one in found[1:]):
            return found
        time.sleep(0.05)
    raise AssertionError("it has started no processes")


@pytest.mark.skipif(os.cpu_count() == 1, reason="on one core a file is read by the command itself")
def test_a_killed_import_of_a_large_file_is_finished_by_running_it_again(tmp_path: Path) -> None:
    file = written(tmp_path / "shop.csv")
    words = ("import", file, "--map", file.with_suffix(".yml"))
    killed, whole = Command(tmp_path / "killed"), Command(tmp_path / "whole")
    process = subprocess.Popen([str(COMMAND), *map(str, words)], env=killed.environment(), stdout=subprocess.DEVNULL)
    helpers = children(process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, left = psutil.wait_procs(helpers, timeout=60)
    assert left == []
    assert "not finished" in killed("imports", COLUMNS="200").out
    for command in (killed, whole):
        done = command(*words)
        assert f"{ROWS:,} events" in done.out, done.err
    assert "not finished" not in killed("imports", COLUMNS="200").out
    assert killed.stored() == whole.stored()
    for key in whole.stored():
        assert (killed.home / "raw" / key).read_bytes() == (whole.home / "raw" / key).read_bytes()
