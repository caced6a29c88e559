"""Raw hours on disk or in a bucket, as the collector would have written them, from the events of `events.Traffic`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import obstore
from obstore.store import ObjectStore

from events import Traffic
from ingest_lambda import contract, landing
from ingest_lambda.contract import Rejection

#: Of a thousand lines, two are none of the collector's: an old client's, or cut short by a full disk.
BROKEN = 0.002
_BROKEN_LINES = (
    b'{"event_name":"page_view","client_id":"v1","event_id":"not-a-uuid"}',
    b'{"event_name":"Page View!","client_id":"v1"}',
    b'{"event_name":"purchase","client_id":"v1","order":{"value":-5}}',
    b'{"event_name":"page_view","client_id":"v1","page_url":"https://www.shop.exa',
)
Objects = Iterator[tuple[str, bytes]]


def write_hour(store: ObjectStore, hour: datetime, count: int, per_object: int = 100, **more: Any) -> int:
    """Write an hour of `count` lines, with what a shop has of broken ones. Returns how many objects it has."""
    objects, written = hour_objects(hour, count, per_object, **more), 0
    with ThreadPoolExecutor(16) as pool:
        while some := list(islice(objects, 1_000)):
            list(pool.map(lambda one: obstore.put(store, *one), some))
            written += len(some)
    return written


def hour_objects(
    hour: datetime, count: int, per_object: int, seed: int = 1, broken: float = BROKEN, **traffic: Any
) -> Objects:
    """Keys and bytes of such an hour. What the collector itself has refused lies beside: few objects of one line each."""
    rng = random.Random(seed)
    lines = _lines(random.Random(seed), Traffic(seed, hour, count, **traffic), broken)
    while some := list(islice(lines, per_object)):
        yield landing.event_key(hour, UUID(int=rng.getrandbits(128), version=4)), b"\n".join(some)
    refused = Rejection("invalid_price", "product.price -3 is not an amount.", hour, 0, '{"product":{"price":-3}}')
    for _ in range(count // 2_000 if broken else 0):
        yield landing.rejected_key(hour, UUID(int=rng.getrandbits(128), version=4)), contract.encode(refused)


def _lines(rng: random.Random, traffic: Traffic, broken: float) -> Iterator[bytes]:
    for event in traffic:
        yield rng.choice(_BROKEN_LINES) if rng.random() < broken else contract.encode(event)
