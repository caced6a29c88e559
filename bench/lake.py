"""What does a day of traffic cost to write as Parquet, in time and in bytes, beside its packs?

The demo's traffic (or the benchmarks', of a busier shop) is loaded; then its raw objects are packed, the lake is written, written
again with nothing changed, and compared with the tables. Sizes are those of the events: their packs, and the objects of each
table.

Run: python bench/lake.py [--days 2 | --hourly 2000]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from parts import START, temporary_home
from raw_hours import write_hour

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What came of it, and the seconds that it took."""
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--hourly", type=int, help="So many events in each hour of a day, in the place of the demo's.")
    asked = parser.parse_args()
    now = datetime.now(UTC)
    with temporary_home(now.replace(minute=0, second=0, microsecond=0) - timedelta(days=asked.days + 1)):
        from clickstream_dagster.cli.demo import collect_traffic, make_plan
        from clickstream_dagster.partitions import HOUR
        from clickstream_dagster.settings import load_settings
        from clickstream_dagster.stack import Stack
        from clickstream_dagster.warehouse.from_raw import build
        from clickstream_dagster.warehouse.lake.hours import closed
        from clickstream_dagster.warehouse.lake.verify import verify
        from clickstream_dagster.warehouse.lake.write import write
        from clickstream_dagster.warehouse.packing.hours import pack_hours, packable_prefixes

        stack = Stack(load_settings())
        if asked.hourly:
            for number in range(24):
                write_hour(stack.store, START + number * HOUR, asked.hourly, 5, seed=number)
        else:
            collect_traffic(stack, make_plan(stack, 7, asked.days))
        with stack.warehouse() as connection:
            build(connection, stack.store, stack.settings)
            prefixes = packable_prefixes(connection, stack.store)
            packed, pack_seconds = timed(lambda: pack_hours(connection, stack.store, prefixes, timedelta(days=999)))
            written, seconds = timed(lambda: write(connection, stack.store, lambda hours: closed(connection, hours)))
            _, again = timed(lambda: write(connection, stack.store, lambda hours: closed(connection, hours)))
            found, verify_seconds = timed(
                lambda: verify(connection, stack.store, lambda hours: closed(connection, hours))
            )
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "select model, sum(row_count), sum(size_bytes) from lake_hours group by model order by model"
                )
                tables = cursor.fetchall()
                cursor.execute(
                    "select pg_total_relation_size('clickstream_events') / greatest(count(*), 1) from clickstream_events"
                )
                [(in_postgres,)] = cursor.fetchall()
    print(
        f"packs: {packed.objects:,} objects of {packed.object_bytes:,} bytes into {packed.pack_bytes:,}, {pack_seconds:.1f} s"
    )
    print(
        f"lake: {written.rows:,} rows in {written.hours:,} objects, {seconds:.1f} s, {written.rows / seconds:,.0f} rows/s"
    )
    print(f"again: {again:.2f} s; compared: {verify_seconds:.1f} s, {len(found.differences):,} differ")
    for name, rows, size in tables:
        print(f"{name:>20}: {rows:,} rows, {size:,} bytes, {size / max(rows, 1):.0f} a row")
    events = next(rows for name, rows, _ in tables if name == "clickstream_events")
    print(f"an event: {packed.pack_bytes / events:.0f} bytes in packs, {in_postgres:,} in PostgreSQL with its indexes")


if __name__ == "__main__":
    main()
