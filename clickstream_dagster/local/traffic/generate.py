"""The demo's traffic: a seeded shop, day by day, as a stream of requests in the order of their receipt."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from clickstream_dagster.local.traffic import faults
from clickstream_dagster.local.traffic.browser import Event, Visit
from clickstream_dagster.local.traffic.deliveries import deliver
from clickstream_dagster.local.traffic.journeys import return_goods, visit
from clickstream_dagster.local.traffic.population import APART, Population, starts
from clickstream_dagster.local.traffic.request import Request, to_request
from clickstream_dagster.local.traffic.visitors import Visitor

DAY = timedelta(days=1)
RETURN_GOODS = 0.09
_Return = tuple[datetime, int, Visitor, Event]


def requests(seed: int, days: int, until: datetime, visitors_per_day: int = 400) -> Iterator[Request]:
    """Every request of the `days` before `until`, in the order of receipt. The same arguments give the same bytes.

    Memory grows with the visitors that the shop remembers, not with the days.
    """
    if until.tzinfo is None:
        raise ValueError("until needs a time zone")
    until = until.astimezone(UTC)
    shop = _Shop(random.Random(seed), until, visitors_per_day)
    return shop.run(until - days * DAY)


class _Shop:
    """One run. It holds what is not over yet: requests on their way, and goods that will come back."""

    def __init__(self, rng: random.Random, until: datetime, visitors_per_day: int) -> None:
        self._rng = rng
        self._until = until
        self._visitors_per_day = visitors_per_day
        self._population = Population(rng, known=max(1, visitors_per_day))
        self._pending: list[tuple[datetime, int, Request]] = []
        self._returns: list[_Return] = []
        self._sequence = 0

    def run(self, since: datetime) -> Iterator[Request]:
        """Day by day; a request leaves once no later visit can come before it."""
        first = since.replace(hour=0, minute=0, second=0, microsecond=0)
        number = 0
        while (day := first + number * DAY) <= self._until:
            for visit_ in self._visits(day, number, since):
                self._send(visit_)
            yield from self._received(before=day + DAY)
            number += 1
        yield from self._received(before=self._until)

    def _visits(self, day: datetime, number: int, since: datetime) -> Iterator[Visit]:
        rng = self._rng
        for start in starts(rng, day, number, self._visitors_per_day):
            if not since <= start < self._until:
                continue
            yield from self._returned(start)
            one = visit(rng, self._population.pick(start), start)
            faults.disturb_visit(rng, one)
            self._expect_returns(one)
            yield one
            if rng.random() < faults.CRAWLS:
                yield faults.crawl(rng, start)

    def _expect_returns(self, one: Visit) -> None:
        for order in one.orders:
            if self._rng.random() < RETURN_GOODS:
                at = one.hits[-1].at + timedelta(seconds=self._rng.randint(2 * 86_400, 9 * 86_400))
                self._sequence += 1
                heapq.heappush(self._returns, (at, self._sequence, one.visitor, order))

    def _returned(self, now: datetime) -> Iterator[Visit]:
        """Goods that come back now; not before, where requests have left already. Who is on a visit ends it first."""
        while self._returns and self._returns[0][0] <= now:
            _, _, visitor, order = heapq.heappop(self._returns)
            at = now if visitor.seen_until is None else max(now, visitor.seen_until + APART)
            yield return_goods(self._rng, visitor, at, order)

    def _send(self, one: Visit) -> None:
        for sound in deliver(self._rng, one, self._until):
            for delivery in faults.disturb_delivery(self._rng, sound):
                self._sequence += 1
                heapq.heappush(self._pending, (delivery.received_at, self._sequence, to_request(delivery)))

    def _received(self, before: datetime) -> Iterator[Request]:
        while self._pending and self._pending[0][0] <= min(before, self._until):
            yield heapq.heappop(self._pending)[2]
