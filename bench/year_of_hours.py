"""What does a year by the hour cost beyond the work on its events? 5,000 events over 3,300 hours, in one run.

Prints where the time goes: import, our part of the run, Dagster's; and what Dagster's part comes to for 8,760 hours.
"""

from __future__ import annotations

import json
import random
import time
from datetime import timedelta
from uuid import UUID

from hour_cost import our_seconds
from parts import START, temporary_home

EVENTS, HOURS, YEAR = 5_000, 3_300, 8_760
BUDGET_SECONDS = 300


def main() -> None:
    with temporary_home() as home:
        from clickstream_dagster import instance as dagster_instance
        from clickstream_dagster.local.importer.source import surveyed
        from clickstream_dagster.local.importer.store import store_source
        from clickstream_dagster.partitions import HOUR
        from clickstream_dagster.runs import materialize_hours
        from clickstream_dagster.settings import load_settings
        from clickstream_dagster.stack import Stack

        stack = Stack(load_settings())
        dagster_instance.prepare(stack)
        file = home / "events.ndjson"
        rng = random.Random(1)
        file.write_text("\n".join(line(rng, number) for number in range(EVENTS)))
        started = time.perf_counter()
        imported = store_source(stack.store, surveyed(file))
        print(
            f"import: {imported.events:,} events into {imported.objects:,} objects, {time.perf_counter() - started:.1f} s"
        )
        with dagster_instance.open_instance() as instance, our_seconds() as ours:
            started = time.perf_counter()
            assert materialize_hours(instance, START, START + HOURS * HOUR).success
            run = time.perf_counter() - started
        dagster = run - sum(ours)
        print(f"one run of {HOURS:,} hours: {run:.1f} s = ours {sum(ours):.1f} s + Dagster {dagster:.1f} s")
        year = dagster / HOURS * YEAR
        print(f"Dagster: {dagster / HOURS * 1000:.1f} ms for each hour; a year of {YEAR:,} hours: {year:.0f} s")
        print(f"of the budget of {BUDGET_SECONDS} s: {year / BUDGET_SECONDS:.2f}")


def line(rng: random.Random, number: int) -> str:
    at = START + timedelta(hours=number * HOURS / EVENTS, seconds=rng.uniform(0, 900))
    return json.dumps(
        {
            "event_id": str(UUID(int=rng.getrandbits(128))),
            "event_name": rng.choice(("page_view", "view_product", "add_to_cart")),
            "event_timestamp": at.isoformat(),
            "client_id": f"v{rng.randrange(800)}",
            "page_url": "https://shop.example/p/1",
            "product": {"id": f"p{rng.randrange(50)}", "price": 10},
        }
    )


if __name__ == "__main__":
    main()
