"""Does an hour cost what is in it, or what came before it? 10,000 events, on top of 0, 1 and 5 million.

Each measured hour is the first of a new day, half of its visitors are known from the history. The seconds are those of the
whole Dagster run, and of our own part of it.
Prints the ratio to the warehouse without history, measured in turn with it: 1.0 is flat.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import obstore
from parts import START, temporary_home

from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Product

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

HISTORIES = (0, 1_000_000, 5_000_000)
EVENTS = 10_000
REPEATS = 5
NAMES = ("page_view", "page_view", "view_product", "view_product", "add_to_cart", "search")

HISTORY = """
insert into clickstream_events (
    event_id, event_timestamp, event_name, client_id, visitor_id, received_at, time_source, page_url, page_host, page_path,
    device_type, country, product_id, product_name, product_price, is_bot, partition_hour, object_key, line_number,
    payload_hash
)
select
    md5(n::text)::uuid, at, (array['page_view', 'page_view', 'view_product', 'add_to_cart'])[1 + n %% 4],
    'v' || n / 12, 'v' || n / 12, at, 'client', 'https://shop.example/p/' || n %% 500, 'shop.example', '/p/' || n %% 500,
    'mobile', 'VN', 'p' || n %% 500, 'Product ' || n %% 500, 10 + n %% 90, false, date_trunc('hour', at),
    'events/history', n, md5(n::text)::uuid
from (
    select n, %(start)s::timestamptz + interval '100 days' * (n / 12 * 12) / %(all)s + interval '1 minute' * (n %% 12) as at
    from generate_series(0, %(all)s::integer - 1) as n
) as events
"""


def main() -> None:
    from clickstream_dagster import instance as dagster_instance
    from clickstream_dagster.settings import load_settings
    from clickstream_dagster.stack import Stack
    from clickstream_dagster.warehouse.connection import create_database

    histories = HISTORIES[:2] if "--quick" in sys.argv else HISTORIES
    with temporary_home():
        first = Stack(load_settings())
        dagster_instance.prepare(first)
        stacks = []
        for size in histories:
            create_database(first.server, f"history_{size}")
            stacks.append(Stack(replace(first.settings, postgres=replace(first.server, database=f"history_{size}"))))
            add_history(stacks[-1], size)
        # Turn by turn, so that whatever else the machine does falls on all of them alike. The first turn warms up.
        turns = [[measure(stack, 120 + turn) for stack in stacks] for turn in range(REPEATS + 1)][1:]
    for place, size in enumerate(histories):
        run, ours = (statistics.median(turn[place][part] for turn in turns) for part in (0, 1))
        ratios = [statistics.median(turn[place][part] / turn[0][part] for turn in turns) for part in (0, 1)]
        print(
            f"on {size:>9,} events of history: the run {run:5.2f} s (x{ratios[0]:.2f}), "
            f"of which ours {ours:5.2f} s (x{ratios[1]:.2f})"
        )


def add_history(stack: Stack, size: int) -> None:
    from clickstream_dagster.warehouse import changes
    from clickstream_dagster.warehouse.connection import transaction
    from clickstream_dagster.warehouse.models import all_models
    from clickstream_dagster.warehouse.rebuild import rebuild_all

    if not size:
        return
    with stack.warehouse() as connection:
        with transaction(connection) as cursor:
            cursor.execute(HISTORY, {"start": START, "all": size})
            cursor.execute("analyze clickstream_events")
            changes.owe_all(cursor, all_models()["fact_sessions"])
        rebuild_all(connection)
        connection.autocommit = True
        connection.cursor().execute("vacuum analyze")


def measure(stack: Stack, day: int) -> tuple[float, float]:
    """Materialize a new hour of 10,000 events: seconds of the run, and of our part."""
    from clickstream_dagster import instance as dagster_instance
    from clickstream_dagster import resources
    from clickstream_dagster.partitions import HOUR
    from clickstream_dagster.runs import materialize_hours

    resources._stack = lambda: stack  # type: ignore[assignment]
    hour = START + timedelta(days=day)
    rng = random.Random(day)
    for part in range(100):
        lines = [contract.encode(event(rng, day * EVENTS + part * 100 + n)) for n in range(100)]
        obstore.put(stack.store, landing.event_key(hour, UUID(int=part)), b"\n".join(lines), mode="overwrite")
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


def event(rng: random.Random, number: int) -> Event:
    at = START + timedelta(days=number // EVENTS, seconds=rng.uniform(0, 3599))
    visitor = f"v{rng.randrange(80_000)}" if rng.random() < 0.5 else f"new{number // EVENTS}-{rng.randrange(1_000)}"
    product = Product(id=f"p{rng.randrange(500)}", name="Product", price=10)  # type: ignore[arg-type]
    return Event(
        event_id=UUID(int=rng.getrandbits(128)),
        event_name=rng.choice(NAMES),
        event_timestamp=at,
        received_at=at,
        client_id=visitor,
        page_url=f"https://shop.example/p/{rng.randrange(500)}",
        product=product,
    )


if __name__ == "__main__":
    main()
