"""How fast is a load of raw objects, against what limits it and against its peers?

Run: python bench/loading.py [--events N] [--rounds N] [--profile]

Each part compares in one run, taken in turn, and prints the ratio; see bench/README.md.
- copy: an hour of 300,000 lines in objects of 100, against COPY of the rows that come of it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from limit import copy_in, copy_out
from parts import START, claim, fresh_warehouse, in_turn, ratio, temporary_home
from raw_hours import write_hour
from where import profile

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack
    from clickstream_dagster.warehouse.connection import Connection

EVENTS, ROUNDS = 300_000, 5


def main() -> None:
    options = _options()
    with temporary_home() as home:
        from clickstream_dagster.settings import load_settings
        from clickstream_dagster.stack import Stack

        stack = Stack(load_settings())
        objects = write_hour(stack.store, START, options.events)
        print(f"{options.events:,} lines in {objects:,} objects", flush=True)
        if options.profile:
            breakdown(stack)
        else:
            against_copy(stack, home / "rows.copy", options)


def against_copy(first: Stack, rows: Path, options: argparse.Namespace) -> None:
    with fresh_warehouse(first) as stack:  # warms up, and leaves the rows
        load(stack)
        kept = copy_out(stack, rows)

    def limit() -> float:
        with fresh_warehouse(first) as stack:
            return copy_in(stack, rows)

    taken = in_turn(options.rounds, ours=lambda: fresh_load(first), copy=limit)
    for name, count in (("ours", options.events), ("copy", kept)):
        print(f"{name}: {count / statistics.median(taken[name]):,.0f} a second ({_seconds(taken[name])})")
    share = ratio(taken["copy"], taken["ours"])
    claim("load, objects of 100", "COPY of the same rows", share, 0.5, at_least=True)


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


def fresh_load(first: Stack) -> float:
    with fresh_warehouse(first) as stack:
        return load(stack)


def load(stack: Stack) -> float:
    """Seconds of a load of the hour: listing, reading, decoding, merging, duplicates, rejects, manifest."""
    from clickstream_dagster.partitions import HOUR
    from clickstream_dagster.warehouse.load import load_hours

    with stack.warehouse() as connection:
        started = time.perf_counter()
        loaded = load_hours(connection, stack.store, START, START + HOUR)
        elapsed = time.perf_counter() - started
        check(connection, loaded.received)
    return elapsed


def check(connection: Connection, received: int) -> None:
    """A load that loses a line is not fast."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select (select count(*) from clickstream_events) + (select count(*) from duplicate_events)"
            " + (select count(*) from rejected_events)"
        )
        assert cursor.fetchone() == (received,)


def _seconds(taken: list[float]) -> str:
    return " ".join(f"{one:.2f}" for one in taken) + " s"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--profile", action="store_true", help="say where the time of a load goes, and compare nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
