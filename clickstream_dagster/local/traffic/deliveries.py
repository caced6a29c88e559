"""How the tracker sends what it saw: a visit in a few batches, each after its last event."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clickstream_dagster.local.traffic.browser import Hit, Visit
from clickstream_dagster.local.traffic.visitors import Visitor

#: A visit makes few raw objects, because each request makes one.
BATCH = 12
#: After this much silence the tracker sends what it has.
FLUSH_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request in the making, in true time."""

    visitor: Visitor
    hits: list[Hit]
    sent_at: datetime
    received_at: datetime
    is_beacon: bool = False
    is_gzip: bool = False
    is_bot: bool = False
    is_retry: bool = False
    is_cut_short: bool = False

    def delayed(self, delay: timedelta) -> Delivery:
        """The same batch, sent so much later."""
        return replace(self, sent_at=self.sent_at + delay, received_at=self.received_at + delay)


def deliver(rng: random.Random, visit: Visit, until: datetime) -> Iterator[Delivery]:
    """The visit's batches. What happens after `until` has not happened yet."""
    hits = [hit for hit in visit.hits if hit.at <= until]
    for batch in _batches(hits, 1 if visit.visitor.dialect == "camel" else BATCH):
        sent_at = batch[-1].at + timedelta(milliseconds=rng.randint(5, 900))
        yield Delivery(
            visitor=visit.visitor,
            hits=batch,
            sent_at=sent_at,
            received_at=sent_at + timedelta(milliseconds=rng.randint(20, 600)),
            # The page is being left: only a beacon gets out.
            is_beacon=batch[-1] is hits[-1] and rng.random() < 0.6,
            is_gzip=len(batch) > 3 and rng.random() < 0.25,
            is_bot=visit.is_bot,
        )


def _batches(hits: list[Hit], size: int) -> Iterator[list[Hit]]:
    batch: list[Hit] = []
    for hit in hits:
        if batch and (len(batch) >= size or hit.at - batch[-1].at > FLUSH_AFTER):
            yield batch
            batch = []
        batch.append(hit)
    if batch:
        yield batch
