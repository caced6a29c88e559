"""Does an hour cost what is in it, or what came before it? 10,000 events, on top of 0, 1 and 5 million.

Run: python bench/hour_cost.py [--quick | --large]; quick ends at 1 million, large goes on to 20 million.

Each measured hour is the first of a new day, two fifths of its visits are of visitors known from the history. The seconds are
those of the whole Dagster run, and of our own part of it. Prints the ratio to the warehouse without history, measured in turn
with it: 1.0 is flat.
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from history import DAYS, add_history
from parts import START, claim, stack_on, temporary_home
from raw_hours import write_hour

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

QUICK, HISTORIES, LARGE = (0, 1_000_000), (0, 1_000_000, 5_000_000), (0, 1_000_000, 5_000_000, 20_000_000)
EVENTS = 10_000
REPEATS = 5


def main() -> None:
    from clickstream_dagster import instance as dagster_instance
    from clickstream_dagster.settings import load_settings
    from clickstream_dagster.stack import Stack
    from clickstream_dagster.warehouse.connection import create_database

    histories = QUICK if "--quick" in sys.argv else LARGE if "--large" in sys.argv else HISTORIES
    with temporary_home():
        first = Stack(load_settings())
        dagster_instance.prepare(first)
        stacks = []
        for size in histories:
            create_database(first.server, f"history_{size}")
            stacks.append(stack_on(first, f"history_{size}"))
            started = time.perf_counter()
            add_history(stacks[-1], size)
            print(f"{size:,} events of history, made in {time.perf_counter() - started:.0f} s", flush=True)
        # Turn by turn, so that whatever else the machine does falls on all of them alike. The first turn warms up.
        turns = [[measure(stack, DAYS + 20 + turn) for stack in stacks] for turn in range(REPEATS + 1)][1:]
    for place, size in enumerate(histories):
        report(size, [turn[place] for turn in turns], [turn[0] for turn in turns])


def report(size: int, turns: list[tuple[float, float]], without: list[tuple[float, float]]) -> None:
    run, ours = (statistics.median(turn[part] for turn in turns) for part in (0, 1))
    ratios = [
        statistics.median(turn[part] / other[part] for turn, other in zip(turns, without, strict=True))
        for part in (0, 1)
    ]
    print(
        f"on {size:>10,} events of history: the run {run:5.2f} s (x{ratios[0]:.2f}), "
        f"of which ours {ours:5.2f} s (x{ratios[1]:.2f})"
    )
    if size:
        for part, value in zip(("the whole run", "our part"), ratios, strict=True):
            claim(f"hour of 10,000 events on {size:,}: {part}", "the same on no history", value, 1.2, at_least=False)


def measure(stack: Stack, day: int) -> tuple[float, float]:
    """Materialize a new hour of 10,000 events: seconds of the run, and of our part."""
    from clickstream_dagster import instance as dagster_instance
    from clickstream_dagster import resources
    from clickstream_dagster.partitions import HOUR
    from clickstream_dagster.runs import materialize_hours

    resources._stack = lambda: stack  # type: ignore[assignment]
    hour = START + timedelta(days=day)
    write_hour(stack.store, hour, EVENTS, seed=day)
    with dagster_instance.open_instance() as instance, our_seconds() as ours:
        started = time.perf_counter()
        assert materialize_hours(instance, hour, hour + HOUR).success
        return time.perf_counter() - started, sum(ours)


class our_seconds(list[float]):
    """Collects the seconds that runs spend in our code, not in Dagster's."""

    def __enter__(self) -> our_seconds:
        import clickstream_dagster.assets.events as events
        import clickstream_dagster.assets.models as models

        self._real = events.load_hours, models.rebuild
        events.load_hours, models.rebuild = self._timed(events.load_hours), self._timed(models.rebuild)
        return self

    def __exit__(self, *_: object) -> None:
        import clickstream_dagster.assets.events as events
        import clickstream_dagster.assets.models as models

        events.load_hours, models.rebuild = self._real

    def _timed(self, work):  # type: ignore[no-untyped-def]
        def timed(*arguments, **named):  # type: ignore[no-untyped-def]
            started = time.perf_counter()
            try:
                return work(*arguments, **named)
            finally:
                self.append(time.perf_counter() - started)

        return timed


if __name__ == "__main__":
    main()
