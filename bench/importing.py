"""How fast does `clickstream import` bring in a CSV of a million rows, and does its memory stay flat?

Run: python bench/importing.py [narrow] [wide] [--rows N] [--rounds N]

Each part runs the command itself, from its start to its end, in turn with what is the least that a script in Python would do
with the file: csv.DictReader, json.dumps, gzip, a file for each hour; unchecked, without ids, with an end at the first odd row.
- narrow: nine columns, as REES46 publishes them;
- wide: nineteen columns of a shop's own table, with addresses, referrers and user agents, a fifth of the cells quoted.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import psutil
from csv_files import narrow, wide
from parts import claim, temporary_home
from turns import Turns, own_cpu

ROWS, ROUNDS = 1_000_000, 3
ROWS_A_SECOND, SHARE, GROWTH = 30_000, 0.1, 1.25
COMMAND = Path(sys.executable).with_name("clickstream")


def main() -> None:
    options = _options()
    with temporary_home() as home:
        for part in options.parts or PARTS:
            compare(part, PARTS[part], home, options)


def compare(part: str, write: Callable[[Path, int], list[str]], home: Path, options: argparse.Namespace) -> None:
    rows, file, small = options.rows, home / f"{part}.csv", home / f"{part}-quarter.csv"
    mapping = write(file, rows)
    write(small, rows // 4)
    print(f"{part}: {rows:,} rows, {file.stat().st_size / 1e6:,.0f} MB; load {os.getloadavg()[0]:.1f}", flush=True)
    quarter = imported(small, mapping, rows // 4)[1]
    turns, peak = Turns(), 0
    for _ in range(options.rounds):
        for name, way in (("ours", lambda: imported(file, mapping, rows)), ("script", lambda: (script(file), 0))):
            before = own_cpu()
            seconds, memory = way()
            turns.seconds[name].append(seconds)
            turns.cpu[name].append(own_cpu() - before)
            peak = max(peak, memory)
    for name in turns.seconds:
        turns.tell(name, rows)
    share, share_of_cpu = turns.ratio("script", "ours")
    text = f"import of {rows:,} CSV rows, {part}"
    claim(text, "a script's csv, json and gzip", share, SHARE, at_least=True, by_cpu=share_of_cpu)
    if part == "narrow":
        claim(
            f"{text}, rows a second", "none: of this machine", rows / turns.median("ours"), ROWS_A_SECOND, at_least=True
        )
    print(
        f"memory of all its processes: {peak / 1e6:,.0f} MB; of a quarter of the rows: {quarter / 1e6:,.0f} MB",
        flush=True,
    )
    claim(f"{text}, memory", "that of a quarter of the rows", peak / quarter, GROWTH, at_least=False)


def imported(file: Path, mapping: list[str], rows: int) -> tuple[float, int]:
    """Seconds of the command, and the most memory that it and its processes had of their own."""
    home = file.with_suffix(".home")
    subprocess.run(["rm", "-rf", str(home)], check=True)
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(COMMAND), "import", str(file), *mapping],
        env={**os.environ, "CLICKSTREAM_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with _Watch(process.pid) as watch:
        said, _ = process.communicate()
    seconds = time.perf_counter() - started
    assert process.returncode == 0, said
    assert f"{rows:,} events" in said, said
    return seconds, watch.peak


class _Watch:
    """Looks at the memory of a process and its children, ten times a second."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._process, self._end = psutil.Process(pid), Event()
        self._thread = Thread(target=self._look)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.1):
            total = 0
            for one in (self._process, *_children(self._process)):
                try:
                    total += one.memory_full_info().uss
                except psutil.Error:
                    continue  # it has ended
            self.peak = max(self.peak, total)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def script(file: Path) -> float:
    """Seconds of the same file through Python's own modules."""
    folder = file.with_suffix(".script")
    folder.mkdir(exist_ok=True)
    started = time.perf_counter()
    hours: dict[str, list[str]] = defaultdict(list)
    with file.open(newline="", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            hours[row["event_time"][:13]].append(json.dumps(row))
    for hour, lines in hours.items():
        (folder / f"{hour}.json.gz").write_bytes(gzip.compress("\n".join(lines).encode(), 3))
    return time.perf_counter() - started


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), help="default: all")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    return parser.parse_args()


PARTS = {"narrow": narrow, "wide": wide}

if __name__ == "__main__":
    main()
