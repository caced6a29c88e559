"""A shop that sells on Monday evenings, in two browsers, and loses the checkouts of one of them on the last one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import obstore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Device, Event

FIRST = datetime(2026, 9, 21, 16, tzinfo=UTC)
END = datetime(2026, 11, 2, 20, tzinfo=UTC)
OUTAGE = (END - 2 * HOUR, END)
BROWSERS = (
    (
        "Chrome",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    ),
    ("Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"),
)
#: Of each browser in each hour.
VISITORS = 12


def sell(stack: Stack, is_out: bool = True) -> None:
    """Store the events of seven Mondays from 16:00 to 20:00 in the hours in which they were received, load and rebuild."""
    for hour in (FIRST + timedelta(weeks=week) + place * HOUR for week in range(7) for place in range(4)):
        events = list(_events(hour, is_out and OUTAGE[0] <= hour < OUTAGE[1]))
        key = landing.event_key(hour, events[0].event_id)
        obstore.put(stack.store, key, b"\n".join(map(contract.encode, events)))
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, FIRST, END)
        rebuild_all(connection)


def _events(hour: datetime, is_out: bool) -> Iterator[Event]:
    for number, (browser, agent) in enumerate(BROWSERS):
        for visitor in range(VISITORS):
            for step, name in enumerate(("page_view", "page_view", "checkout")):
                if name == "checkout" and is_out and number == 0:
                    continue
                at = hour + timedelta(minutes=4 * visitor, seconds=30 * step)
                yield Event(
                    event_id=UUID(int=int(at.timestamp()) * 10 + number),
                    event_name=name,
                    event_timestamp=at,
                    received_at=at,
                    client_id=f"{browser}-{hour:%m%d%H}-{visitor}",
                    user_agent=agent,
                    device=Device(type="desktop"),
                    page_url="https://shop.example/",
                )
