"""How long does `clickstream rebuild-from-raw` take, and does the same warehouse come out?

Run: python bench/rebuild_from_raw.py [--events N] [--days N]

Stores N events over so many days, in objects of 100, loads them day by day with a rebuild of the tables after each, as a backlog
comes; then builds a second warehouse of the same folder, and compares a hash of each table, made in the database.
"""

from __future__ import annotations

import argparse
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from parts import START, fresh_warehouse, temporary_home
from raw_hours import write_hour

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

EVENTS, DAYS = 5_000_000, 28
#: When and where something was done, not what.
CLOCKS = ("loaded_at", "etag")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--days", type=int, default=DAYS)
    options = parser.parse_args()
    with temporary_home():
        from clickstream_dagster.settings import load_settings
        from clickstream_dagster.stack import Stack

        stack = Stack(load_settings())
        with fresh_warehouse(stack, "anew") as anew:
            objects = stand(stack, options.events, options.days)
            print(f"{options.events:,} events in {objects:,} objects of {options.days} days", flush=True)
            build(anew, options.events)
            compare(hashes(stack), hashes(anew))


def stand(stack: Stack, events: int, days: int) -> int:
    """Store and load the warehouse that stands."""
    from clickstream_dagster.partitions import HOUR
    from clickstream_dagster.warehouse.load import load_hours
    from clickstream_dagster.warehouse.rebuild import rebuild_all

    objects = 0
    started = time.perf_counter()
    with stack.warehouse() as connection:
        for day in range(days):
            first = START + timedelta(days=day)
            for hour in range(24):
                objects += write_hour(stack.store, first + hour * HOUR, events // (days * 24), seed=24 * day + hour)
            load_hours(connection, stack.store, first, first + 24 * HOUR)
            rebuild_all(connection)
    print(f"stored, and loaded day by day: {(time.perf_counter() - started) / 60:.1f} minutes", flush=True)
    return objects


def build(anew: Stack, events: int) -> None:
    from clickstream_dagster.warehouse import from_raw

    started = time.perf_counter()
    loaded = 0.0

    def note(step: str, done: int, total: int) -> None:
        nonlocal loaded
        if step == "objects" and done == total:
            loaded = time.perf_counter() - started

    with anew.warehouse() as connection:
        from_raw.build(connection, anew.store, anew.settings, note)
    seconds = time.perf_counter() - started
    print(
        f"rebuild-from-raw: {seconds / 60:.1f} minutes ({loaded / 60:.1f} to load, the rest to rebuild), "
        f"{events / seconds:,.0f} events/s",
        flush=True,
    )


def hashes(stack: Stack) -> dict[str, tuple[int, str]]:
    """Rows and a hash of each table: the sum of the hashes of its rows, whatever their order."""
    from clickstream_dagster.warehouse.connection import transaction
    from clickstream_dagster.warehouse.models import all_models

    found = {}
    with stack.warehouse() as connection, transaction(connection) as cursor:
        for model in all_models().values():
            if model.materialized != "view":
                columns = ", ".join(name for name in model.column_names if name not in CLOCKS)
                where = "where received <> 0 or difference <> 0" if model.name == "etl_ledger" else ""
                cursor.execute(f"""
                    select count(*), coalesce(sum(hash_record_extended(t, 0)::numeric), 0)::text
                    from (select {columns} from {model.name} {where}) as t
                    """)
                found[model.name] = cursor.fetchone()
    return found


def compare(stood: dict[str, tuple[int, str]], anew: dict[str, tuple[int, str]]) -> None:
    unequal = [name for name in stood if stood[name] != anew[name]]
    rows = sum(count for count, _ in anew.values())
    print(f"{len(stood)} tables, {rows:,} rows: {'NOT EQUAL: ' + ', '.join(unequal) if unequal else 'all are equal'}")


if __name__ == "__main__":
    main()
