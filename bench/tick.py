"""What does a tick of five minutes cost, when all is warm? 300 events on top of 5 million.

Run: python bench/tick.py [--history N] [--rounds N]

Prints the seconds of the whole tick (`lambda_entrypoint.handler`), of our part of it called alone (load and all tables), and of
that part on no history, taken in turn, each with 300 new events. Where the handler loads the hour in progress without a Dagster
run (`CLICKSTREAM_TICK_MINUTES`), that is what is measured; where it does not yet, each tick is a run.
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import redirect_stdout
from datetime import datetime, timedelta
from io import StringIO
from itertools import count
from typing import TYPE_CHECKING, Any

from history import DAYS, add_history
from ours import load, rebuild
from parts import START, claim, stack_on, temporary_home
from raw_hours import write_hour
from turns import in_turn

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

HISTORY, EVENTS, ROUNDS = 5_000_000, 300, 5
MINUTES = 5
HOUR = START + timedelta(days=DAYS + 10)


def main() -> None:
    options = _options()
    os.environ["CLICKSTREAM_TICK_MINUTES"] = str(MINUTES)
    with temporary_home():
        from clickstream_dagster.lambda_entrypoint import handler
        from clickstream_dagster.settings import load_settings
        from clickstream_dagster.stack import Stack
        from clickstream_dagster.warehouse.connection import create_database

        stack = Stack(load_settings())
        create_database(stack.server, "no_history")
        # A raw folder of its own: both load the same hour.
        bare = stack_on(stack, "no_history", stack.settings.home / "other_raw")
        add_history(stack, options.history)
        number = count()
        ways = {
            "whole": lambda: whole(handler, stack, next(number)),
            "ours": lambda: ours(stack, next(number)),
            "ours, no history": lambda: ours(bare, next(number)),
        }
        first = in_turn(1, stack, **ways)  # imports, migrations, and the run of the hour that has ended
        in_turn(1, stack, **ways)
        taken = in_turn(options.rounds, stack, **ways)
    print(f"the first tick of a process: {first.seconds['whole'][0]:.2f} s")
    for name in ways:
        taken.tell(name, EVENTS)
    on = f"on {options.history:,} events"
    rest, by_cpu = taken.ratio("whole", "ours")
    claim(f"tick, {on}: all of it", "our part of it", rest, 1.5, at_least=False, by_cpu=by_cpu)
    flat, by_cpu = taken.ratio("ours", "ours, no history")
    claim(f"tick, {on}: our part", "the same on no history", flat, 1.2, at_least=False, by_cpu=by_cpu)


def whole(handler: Any, stack: Stack, number: int) -> float:
    at = _write(stack, number)
    is_light = getattr(stack.settings, "tick_minutes", 60) < 60
    event = {"time": at.isoformat()} if is_light else {"targetUtcHour": HOUR.isoformat()}
    started = time.perf_counter()
    with redirect_stdout(StringIO()):  # its log
        handler(event)
    return time.perf_counter() - started


def ours(stack: Stack, number: int) -> float:
    _write(stack, number)
    return load(stack, hour=HOUR) + sum(rebuild(stack).values())


def _write(stack: Stack, number: int) -> datetime:
    """Five more minutes of the hour: in objects of ten, as trackers send them."""
    at = HOUR + timedelta(minutes=MINUTES) * (number % 12)
    write_hour(stack.store, at, EVENTS, per_object=10, seed=1_000 + number, minutes=MINUTES)
    return at


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history", type=int, default=HISTORY)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
