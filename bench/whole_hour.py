"""What does a whole hour of a busy shop take, from raw objects to every table? 100,000 events into an empty warehouse.

Run: python bench/whole_hour.py [--events N] [--rounds N] [--memory]

Prints the seconds of the load and of each table, and the total as a multiple of COPY of the same rows, taken in turn.
`--memory` loads an hour of 2,000,000 events instead, once, and prints how much memory the Python process took at its peak.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from limit import copy_out, fresh_copy
from ours import load, rebuild
from parts import START, claim, fresh_warehouse, temporary_home
from raw_hours import write_hour
from turns import in_turn

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

EVENTS, ROUNDS, SECONDS = 100_000, 5, 4
LARGE, MEGABYTES = 2_000_000, 600


def main() -> None:
    options = _options()
    if options.measured:
        print(f"load and tables: {sum(_hour(_stack()).values()):.0f} s, peak {_peak():.0f} MB", flush=True)
        return
    with temporary_home() as home:
        stack = _stack()
        events = options.events or (LARGE if options.memory else EVENTS)
        objects = write_hour(stack.store, START, events)
        print(f"{events:,} lines in {objects:,} objects", flush=True)
        if options.memory:
            memory(stack, events)
        else:
            seconds(stack, home / "rows.copy", events, options.rounds)


def _stack() -> Stack:
    from clickstream_dagster.settings import load_settings
    from clickstream_dagster.stack import Stack

    return Stack(load_settings())


def _hour(stack: Stack) -> dict[str, float]:
    """Seconds of each step of an hour."""
    return {"load": load(stack), **rebuild(stack)}


def seconds(first: Stack, rows: Path, events: int, rounds: int) -> None:
    with fresh_warehouse(first) as stack:  # warms up, and leaves the rows
        _hour(stack)
        copy_out(stack, rows)
    hours: list[dict[str, float]] = []

    def hour() -> float:
        with fresh_warehouse(first) as stack:
            hours.append(_hour(stack))
        return sum(hours[-1].values())

    taken = in_turn(rounds, first, hour=hour, copy=lambda: fresh_copy(first, rows))
    steps = {step: statistics.median(hour[step] for hour in hours) for step in hours[0]}
    for step, median in sorted(steps.items(), key=lambda step: -step[1]):
        if median >= 0.01:
            print(f"  {median:6.2f} s  {step}")
    for way in ("hour", "copy"):
        taken.tell(way, events)
    whole, by_cpu = taken.ratio("hour", "copy")
    print(f"COPY of its rows, into a table alone, times {whole:.1f} (by the CPU {by_cpu:.1f})")
    text = f"hour of {events:,} events, load and all tables, in seconds"
    claim(text, "none: of this machine", taken.median("hour"), SECONDS, at_least=False)


def memory(stack: Stack, events: int) -> None:
    """The peak of a process of its own, which has not made the events, with whatever processes it starts."""
    with stack.warehouse():
        pass
    child = subprocess.Popen([sys.executable, __file__, "--measured"])
    peak = 0.0
    while child.poll() is None:
        peak = max(peak, _resident(psutil.Process(child.pid)))
        time.sleep(0.1)
    assert child.returncode == 0
    claim(f"peak memory of an hour of {events:,} events, in MB", "none", peak, MEGABYTES, at_least=False)


def _resident(process: psutil.Process) -> float:
    """Megabytes of a process and those it started. Where the system keeps its highest figure, that one, which no look misses."""
    total = 0.0
    try:
        total = sum(one.memory_info().rss for one in process.children(recursive=True)) / 1e6
        return total + max(process.memory_info().rss / 1e6, _peak(process.pid))
    except psutil.NoSuchProcess:
        return total


def _peak(pid: int | None = None) -> float:
    status = Path(f"/proc/{pid or os.getpid()}/status")
    found = (
        [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        if status.exists()
        else []
    )
    return int(found[0]) * 1024 / 1e6 if found else 0.0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--measured", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
