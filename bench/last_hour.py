"""Does the last hour of a day cost more than its first? A day of 24 hours with as many events each, loaded one after the other.

Prints our part of each hour (load and every table), and the ratio of the last hours to the first: 1.0 is flat. The medians of
three hours stand for one, since an hour is short and the machine is shared. `last_hour.py 100000` takes another size.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

from parts import START, claim, temporary_home
from raw_hours import write_hour

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

EVENTS = 20_000
HOURS = 24


def main() -> None:
    from clickstream_dagster.settings import load_settings
    from clickstream_dagster.stack import Stack

    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with temporary_home():
        stack = Stack(load_settings())
        seconds = [measure(stack, hour, events) for hour in range(HOURS)]
    for name, place in (("load", 0), ("tables", 1)):
        print(f"{name}: {' '.join(f'{hour[place]:.2f}' for hour in seconds)} s")
    whole = [sum(hour) for hour in seconds]
    first, last = statistics.median(whole[1:4]), statistics.median(whole[-3:])
    print(f"{HOURS} x {events:,} events: hours 2 to 4 {first:.2f} s, the last three {last:.2f} s (x{last / first:.2f})")
    claim(
        f"last hours of a day of {HOURS} x {events:,} events", "hours 2 to 4 of it", last / first, 1.3, at_least=False
    )


def measure(stack: Stack, number: int, events: int) -> tuple[float, float]:
    """Seconds of loading an hour, and of bringing every table up to date."""
    from clickstream_dagster.partitions import HOUR
    from clickstream_dagster.warehouse.load import load_hours
    from clickstream_dagster.warehouse.rebuild import rebuild_all

    hour = START + number * HOUR
    # Visitors of which many come back the same day: what would make its last hours dear.
    write_hour(stack.store, hour, events, seed=number, known=events // 4)
    with stack.warehouse() as connection:
        started = time.perf_counter()
        load_hours(connection, stack.store, hour, hour + HOUR)
        loaded = time.perf_counter()
        rebuild_all(connection)
        return loaded - started, time.perf_counter() - loaded


if __name__ == "__main__":
    main()
