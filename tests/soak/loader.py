"""Loads what the collector stores, again and again, as the tick of every few minutes does. Ends at the first error, as a tick
does: what starts it again is `site.py`, or the clock. Prints a line for each load."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

from clickstream_dagster.open_hour import load_open_hour
from clickstream_dagster.partitions import floor_hour
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack


def main() -> None:
    stack = Stack(load_settings())
    parent = os.getppid()
    while os.getppid() == parent:  # alone it would keep PostgreSQL running for ever
        with stack.warehouse() as connection:
            loaded = load_open_hour(connection, stack, floor_hour(datetime.now(UTC)))
        print("loaded", loaded.received, flush=True)
        time.sleep(0.3)


if __name__ == "__main__":
    main()
