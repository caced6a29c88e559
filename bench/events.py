"""Invented events of a busy shop, the same for a seed on every machine: what the benchmarks load.

Meant to be what costs a loader most of what a shop really sends, not what flatters it: visits lie mixed, so that no two lines
after each other are alike; every landing has an address of its own; texts hold quotes, umlauts and emoji; a fiftieth are retries.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from browsers import device, user_agent
from msgspec.structs import replace
from shop import STEPS, Shop

from ingest_lambda.contract import Event, Geo

PRODUCTS = 5_000
RETRIES, CONFLICTS, WRONG_CLOCKS = 0.02, 0.001, 0.03
LEAVES, RETURNS, KNOWN_VISITORS = 0.12, 0.4, 80_000
#: Events that a retry may be of; more would only take memory.
REMEMBERED = 20_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = {
    "product": None,
    "order": None,
    "quantity": None,
    "search_query": None,
    "props": None,
    "client_timestamp": None,
}
_PLACES = (
    Geo(country="US", region="IL", city="Chicago"),
    Geo(country="DE", region="HH", city="Hamburg"),
    Geo(country="VN", region="SG", city="Hồ Chí Minh"),
    Geo(country="GB", city="Leeds"),
    Geo(country="FR"),
)
_ORIGINS = (
    *("https://www.google.com/", "https://l.facebook.com/", "https://duckduckgo.com/", "https://blog.example/gifts"),
    None,
)


class Traffic:
    """The events of one hour, in the order in which they are received. At each step one of the visits goes on."""

    def __init__(self, seed: int, hour: datetime, count: int, minutes: int = 60, known: int = KNOWN_VISITORS) -> None:
        self.rng = random.Random(seed)
        self.hour, self.count, self.span = hour, count, timedelta(minutes=minutes) - timedelta(seconds=1)
        self.known = known
        self.shop = Shop(self.rng, PRODUCTS)
        # So many at a time that each of them does something every three minutes, whatever the size of the hour.
        self.visits = [self._arrival() for _ in range(max(4, count // 20))]
        self.recent: list[Event] = []

    def __iter__(self) -> Iterator[Event]:
        for number in range(self.count):
            at = self.hour + self.span * number / self.count
            chance = self.rng.random()
            if self.recent and chance < RETRIES + CONFLICTS:
                yield self._again(at, is_conflict=chance < CONFLICTS)
            else:
                yield self._next(at)

    def _again(self, at: datetime, is_conflict: bool) -> Event:
        """A retry says the same and comes later; a conflict has the id of another event, which is a defect of some client."""
        event = self.rng.choice(self.recent)
        title = "Another page" if is_conflict else event.page_title
        return replace(event, received_at=at, sent_at=at, page_title=title)

    def _next(self, at: datetime) -> Event:
        rng = self.rng
        place = rng.randrange(len(self.visits))
        last = self._arrival() if rng.random() < LEAVES else self.visits[place]
        name = rng.choice(STEPS) if last.page_url else "page_view"
        said = {**_NOTHING, **self.shop.fields(name, last), "time_source": "client"}
        if rng.random() < WRONG_CLOCKS:  # put right by the collector
            said |= {"client_timestamp": at - timedelta(days=1), "time_source": "corrected"}
        event = self.visits[place] = replace(
            last,
            event_id=self._uuid(),
            event_name=name,
            event_timestamp=at - timedelta(milliseconds=rng.randrange(40, 9_000)),
            received_at=at,
            sent_at=at - timedelta(milliseconds=rng.randrange(20, 40)),
            **said,
        )
        self._remember(event)
        return event

    def _remember(self, event: Event) -> None:
        if len(self.recent) < REMEMBERED:
            self.recent.append(event)
        else:
            self.recent[self.rng.randrange(REMEMBERED)] = event

    def _arrival(self) -> Event:
        """A visit that begins. Some are of visitors who may have been there before, in any hour of any seed."""
        rng = self.rng
        agent = user_agent(rng)
        known = f"v{rng.randrange(self.known)}" if rng.random() < RETURNS else ""
        return Event(
            event_id=UUID(int=0),
            event_name="page_view",
            event_timestamp=_EPOCH,
            received_at=_EPOCH,
            client_id=known or str(self._uuid()),
            session_id=str(self._uuid()),
            user_id=f"u-{rng.getrandbits(40):010x}" if rng.random() < 0.15 else None,
            user_login_state=rng.choice(("guest", "logged_in")),
            identity_source="cookie",
            is_first_visit=not known,
            referrer=rng.choice(_ORIGINS),
            device=device(rng, agent),
            geo=rng.choice(_PLACES),
            consent="granted",
            is_gpc=rng.random() < 0.1,
            user_agent=agent,
            tracker_version="0.4.0",
        )

    def _uuid(self) -> UUID:
        return UUID(int=self.rng.getrandbits(128), version=4)
