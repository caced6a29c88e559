"""What does a month of raw hours cost to list, to read and to keep, before packing and after it?

Some hours of the benchmarks' traffic are written, listed, read, packed, and listed and read again, on a folder; the month is 720
hours by those. Requests are counted as S3 answers them (a thousand keys a page), dollars are S3's list prices of
infra_cfn/costs/prices.yml (us-east-1), infrequent access and its requests left out.

Run: python bench/packing.py [--hours 24] [--objects 1000] [--per-object 5]
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import ceil
from pathlib import Path

from obstore.store import LocalStore
from parts import START, temporary_home
from raw_hours import write_hour

MONTH = 720
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "infra_cfn" / "costs"))


@dataclass
class Cost:
    """What lies in the store, and what it takes to list and to read all of it."""

    objects: int
    size: int
    list_seconds: float
    read_seconds: float
    gets: int


def measure(store: LocalStore, hours: int) -> Cost:
    """List and read everything, each hour by itself, as ticks and backfills do."""
    from clickstream_dagster.partitions import HOUR
    from clickstream_dagster.raw import objects
    from clickstream_dagster.raw.bodies import read

    began = time.perf_counter()
    listed = [objects.list_hours(store, START + n * HOUR, START + (n + 1) * HOUR) for n in range(hours)]
    middle = time.perf_counter()
    for hour in listed:
        for batch in objects.batches(hour):
            for _ in read(store, batch):
                pass
    ended = time.perf_counter()
    there = objects.list_as_stored(store, START, START + hours * HOUR)
    packs = {raw.packed.pack for hour in listed for raw in hour if raw.packed}
    batches = sum(1 for hour in listed for _ in objects.batches([raw for raw in hour if raw.packed]))
    small = sum(1 for hour in listed for raw in hour if not raw.packed)
    gets = small + len(packs) + batches + len(packs)  # an index each; a batch reads one range, or two where a pack ends
    return Cost(len(there), sum(raw.size for raw in there), middle - began, ended - middle, gets)


def dollars(cost: Cost, hours: int) -> dict[str, Decimal]:
    """A month of it: to keep for a month, to list once, to read once."""
    import prices

    table = prices.read()["prices"]
    by_month = Decimal(MONTH) / hours
    # Each hour is listed by one prefix under events/ and one under rejected/; the other layouts' are the same before and after.
    pages = Decimal(hours + ceil(max(cost.objects, hours) / 1_000))
    return {
        "keep": table["s3_gb"].of(Decimal(cost.size) / 10**9) * by_month,
        "list": table["s3_writes"].of(pages) * by_month,
        "read": table["s3_reads"].of(Decimal(cost.gets)) * by_month,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--objects", type=int, default=1_000)
    parser.add_argument("--per-object", type=int, default=5)
    asked = parser.parse_args()
    with temporary_home() as home:
        from clickstream_dagster.partitions import HOUR
        from clickstream_dagster.settings import load_settings
        from clickstream_dagster.stack import Stack
        from clickstream_dagster.warehouse.load import load_hours
        from clickstream_dagster.warehouse.packing.hours import pack_hours, packable_prefixes

        store = LocalStore(home / "raw", mkdir=True)
        for number in range(asked.hours):
            write_hour(store, START + number * HOUR, asked.objects * asked.per_object, asked.per_object, seed=number)
        before = measure(store, asked.hours)
        with Stack(load_settings()).warehouse() as connection:
            load_hours(connection, store, START, START + asked.hours * HOUR)
            began = time.perf_counter()
            done = pack_hours(connection, store, packable_prefixes(connection, store), timedelta(days=-1))
            seconds = time.perf_counter() - began
        after = measure(store, asked.hours)
    print(f"{asked.hours} hours of {asked.objects:,} objects of {asked.per_object} events, on a folder")
    print(
        f"packing: {done.objects:,} objects into {done.packs:,} packs, {seconds:.1f} s, {done.objects / seconds:,.0f} objects/s"
    )
    for name, cost in (("before", before), ("after", after)):
        told = ", ".join(f"{what} ${sum_:.4f}" for what, sum_ in dollars(cost, asked.hours).items())
        print(
            f"{name:>6}: {cost.objects:,} objects, {cost.size / 10**6:,.1f} MB, listed in {cost.list_seconds:.2f} s, read in "
            f"{cost.read_seconds:.2f} s by {cost.gets:,} GETs; a month on S3: {told}"
        )


if __name__ == "__main__":
    main()
