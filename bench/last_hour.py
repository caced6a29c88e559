"""Does the last hour of a day cost more than its first? A day of 24 hours with as many events each, loaded one after the other.

Prints our part of each hour (load and every table), and the ratio of the last hours to the first: 1.0 is flat. The medians of
three hours stand for one, since an hour is short and the machine is shared. `last_hour.py 100000` takes another size.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import obstore
from parts import START, temporary_home

from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order, OrderItem, Product

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

EVENTS = 20_000
HOURS = 24
NAMES = ("page_view",) * 4 + ("view_product",) * 4 + ("add_to_cart", "search", "click", "checkout", "purchase")


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


def measure(stack: Stack, number: int, events: int) -> tuple[float, float]:
    """Seconds of loading an hour, and of bringing every table up to date."""
    from clickstream_dagster.partitions import HOUR
    from clickstream_dagster.warehouse.load import load_hours
    from clickstream_dagster.warehouse.rebuild import rebuild_all

    rng = random.Random(number)
    hour = START + number * HOUR
    for part in range(events // 100):
        lines = [contract.encode(event(rng, number, events)) for _ in range(100)]
        obstore.put(stack.store, landing.event_key(hour, UUID(int=part)), b"\n".join(lines))
    with stack.warehouse() as connection:
        started = time.perf_counter()
        load_hours(connection, stack.store, hour, hour + HOUR)
        loaded = time.perf_counter()
        rebuild_all(connection)
        return loaded - started, time.perf_counter() - loaded


def event(rng: random.Random, number: int, events: int) -> Event:
    """Half of the visitors are the day's, half are the hour's own."""
    at = START + timedelta(hours=number, seconds=rng.uniform(0, 3599))
    name = rng.choice(NAMES)
    product = rng.randrange(500)
    bought = name == "purchase"
    return Event(
        event_id=UUID(int=rng.getrandbits(128)),
        event_name=name,
        event_timestamp=at,
        received_at=at,
        client_id=f"v{rng.randrange(4 * events)}"
        if rng.random() < 0.5
        else f"new{number}-{rng.randrange(events // 10)}",
        page_url=f"https://shop.example/p/{product}",
        product=Product(id=f"p{product}", name="Product", category=f"c{product % 40}", price=10),  # type: ignore[arg-type]
        order=Order(id=f"o{rng.getrandbits(64)}", items=[OrderItem(product_id=f"p{product}", price=10)])
        if bought
        else None,  # type: ignore[arg-type]
        search_query=f"term {rng.randrange(300)}" if name == "search" else None,
    )


if __name__ == "__main__":
    main()
