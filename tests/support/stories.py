"""Small histories written by hand, loaded the real way: stored, loaded, rebuilt."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import obstore

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event

DAY = datetime(2026, 4, 6, tzinfo=UTC)  # a Monday
#: All of a story is received in one hour, long after it happened, as an import is.
RECEIVED = datetime(2026, 8, 1, tzinfo=UTC)
GOOGLEBOT = "Googlebot/2.1"
_numbers = count(1)


def at(text: str) -> datetime:
    """`"2 09:30:00"` is half past nine on the second day of the story; the first one is DAY."""
    day, _, time = text.partition(" ")
    hours, minutes, seconds = (*map(int, time.split(":")), 0)[:3]
    return DAY + timedelta(days=int(day) - 1, hours=hours, minutes=minutes, seconds=seconds)


def event(
    when: str | datetime, name: str = "page_view", visitor: str = "ann", path: str | None = None, **more: Any
) -> Event:
    """One event of a story; `path` is that of its page."""
    return Event(
        event_id=UUID(int=next(_numbers)),
        event_name=name,
        event_timestamp=at(when) if isinstance(when, str) else when,
        received_at=RECEIVED,
        client_id=visitor,
        page_url=f"https://shop.example{path}" if path is not None else None,
        **more,
    )


def load(stack: Stack, *events: Event) -> None:
    """Store the events as one object, and load it; the tables are owed what it changes."""
    key = landing.event_key(RECEIVED, UUID(int=next(_numbers)))
    obstore.put(stack.store, key, b"\n".join(map(contract.encode, events)))
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, RECEIVED, RECEIVED + HOUR)


def tell(stack: Stack, *events: Event) -> None:
    """Store the events as one object, load it, rebuild everything."""
    load(stack, *events)
    with stack.warehouse() as connection:
        rebuild_all(connection)


def rows(stack: Stack, query: str, *arguments: object) -> list[tuple[Any, ...]]:
    """What a query says."""
    with stack.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute(query, arguments or None)
        return cursor.fetchall()


@dataclass(frozen=True)
class Visit:
    """One session as it is known from the events alone."""

    visitor: str
    events: tuple[Event, ...]

    @property
    def is_bot(self) -> bool:
        return any(event.user_agent == GOOGLEBOT for event in self.events)


def visits(events: list[Event]) -> Iterator[Visit]:
    """Cut events into sessions: a second opinion, in Python."""
    ordered = sorted(events, key=lambda event: (event.visitor_id, event.event_timestamp, event.event_id))
    held: list[Event] = []
    for one in ordered:
        if held and (
            one.visitor_id != held[-1].visitor_id
            or one.event_timestamp - held[-1].event_timestamp > timedelta(minutes=30)
        ):
            yield Visit(held[0].visitor_id, tuple(held))
            held = []
        held.append(one)
    if held:
        yield Visit(held[0].visitor_id, tuple(held))


def five_weeks(seed: int, names: tuple[str, ...], visitors: int = 25, **fields: Any) -> list[Event]:
    """A random history of some visitors, who come back now and then, a few of them as bots; `fields` are functions of the
    random source and the event's name."""
    rng = random.Random(seed)
    events = []
    for number in range(visitors):
        for _ in range(rng.randint(1, 7)):
            moment = DAY + timedelta(minutes=rng.randrange(35 * 24 * 60))
            agent = GOOGLEBOT if rng.random() < 0.15 else None
            for _ in range(rng.randint(1, 9)):
                name = rng.choice(names)
                more = {field: make(rng, name) for field, make in fields.items()}
                events.append(event(moment, name, f"v{number}", user_agent=agent, **more))
                moment += timedelta(minutes=rng.choice((0, 1, 7, 29, 31)))
    return events
