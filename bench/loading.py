"""How fast is a load of raw objects, against what limits it and against its peers?

Run: python bench/loading.py [batches] [small] [--events N] [--rounds N] [--profile]

Each part compares in one run, taken in turn, and prints the ratio; why it is fair is said in bench/README.md.
- batches: an hour of 300,000 lines in objects of 100, against COPY of the rows that come of it, and against dlt;
- small: an hour of 20,000 objects of one event, from a folder and from a bucket, against boto3 object by object.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from limit import copy_out, fresh_copy
from obstore.store import LocalStore
from ours import fresh_load, load
from parts import START, claim, fresh_warehouse, temporary_home
from peers import DLT_WAYS, dlt_seconds
from raw_hours import write_hour
from single_events import single_events
from turns import in_turn
from where import profile

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

EVENTS, ROUNDS = 300_000, 5


def main() -> None:
    options = _options()
    with temporary_home() as home:
        from clickstream_dagster.settings import load_settings
        from clickstream_dagster.stack import Stack

        stack = Stack(load_settings())
        if options.profile:
            write_hour(stack.store, START, options.events)
            breakdown(stack)
        else:
            for part in options.parts or PARTS:
                PARTS[part](stack, home, options)


def batches(first: Stack, home: Path, options: argparse.Namespace) -> None:
    """An hour in objects of 100 lines: ours, PostgreSQL's COPY and dlt in turn."""
    events = options.events
    objects = write_hour(first.store, START, events)
    (home / "whole").mkdir()
    # dlt stops at a line that is no JSON: it is given the hour without those.
    write_hour(LocalStore(home / "whole"), START, events, broken=0)
    print(f"{events:,} lines in {objects:,} objects", flush=True)
    with fresh_warehouse(first) as stack:  # warms up, and leaves the rows
        load(stack)
        kept = copy_out(stack, home / "rows.copy")
    way = min(DLT_WAYS, key=lambda way: by_dlt(first, home / "whole", way))
    taken = in_turn(
        options.rounds,
        first,
        ours=lambda: fresh_load(first),
        copy=lambda: fresh_copy(first, home / "rows.copy"),
        dlt=lambda: by_dlt(first, home / "whole", way),
    )
    for name, count in (("ours", events), ("copy", kept), ("dlt", events)):
        taken.tell(name, count)
    text = f"load of {events:,} events in objects of 100"
    share, share_of_cpu = taken.ratio("copy", "ours")
    claim(text, "COPY of the same rows", share, 0.5, at_least=True, by_cpu=share_of_cpu)
    times, times_cpu = taken.ratio("dlt", "ours")
    claim(text, f"dlt ({' and '.join(way)})", times, 2.5, at_least=True, by_cpu=times_cpu)


def by_dlt(first: Stack, folder: Path, way: tuple[str, str]) -> float:
    with fresh_warehouse(first) as stack:
        seconds, rows = dlt_seconds(stack.server, folder, way)
    print(f"dlt, {' and '.join(way)}: {seconds:.2f} s, {rows:,} rows", flush=True)
    return seconds


def breakdown(first: Stack) -> None:
    from clickstream_dagster.partitions import HOUR
    from clickstream_dagster.warehouse.load import load_hours

    with (
        fresh_warehouse(first, "one") as one,
        fresh_warehouse(first, "two") as two,
        one.warehouse() as clocked,
        two.warehouse() as profiled,
    ):
        hour = (first.store, START, START + HOUR)
        profile(clocked, lambda: load_hours(clocked, *hour), lambda: load_hours(profiled, *hour))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), help="default: all")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--profile", action="store_true", help="say where the time of a load goes, and compare nothing")
    return parser.parse_args()


PARTS = {"batches": batches, "small": single_events}

if __name__ == "__main__":
    main()
