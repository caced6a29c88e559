"""The known set of events: the demo's traffic of the last weeks, in any order."""

from __future__ import annotations

import gzip
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

import msgspec
from obstore.store import MemoryStore

from clickstream_dagster.local.gateway.api_event import to_event
from clickstream_dagster.local.traffic import requests
from clickstream_dagster.local.traffic.request import Request
from ingest_lambda.handler import collect

DAYS = 60
_SENT_AT = re.compile(rb'^\{"sent_at":"[^"]*",')


@dataclass(frozen=True)
class Post:
    """One request, and the verdict that a collector on a quiet day gives: the ids that it takes, and how many it rejects."""

    number: int
    path: str
    headers: dict[str, str]
    body: bytes
    ids: tuple[UUID, ...]
    rejected: int


def posts(seed: int, count: int) -> list[Post]:
    """So many requests in an order in which nobody would send them: orders before their visits, weeks mixed."""
    now = datetime.now(UTC)
    made = list(islice(requests(seed, DAYS, now, visitors_per_day=max(10, count // 20)), count))
    random.Random(seed).shuffle(made)
    return [_post(number, one, now) for number, one in enumerate(made)]


def _post(number: int, request: Request, now: datetime) -> Post:
    body = _without_sent_at(request)
    headers = {name: value for name, value in request.headers.items() if name != "origin"}
    scope = {
        "method": "POST", "path": request.path, "query_string": b"", "http_version": "1.1",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }  # fmt: skip
    store = MemoryStore()
    answer = collect(to_event(scope, body, now), store=store, received_at=now)
    verdict = msgspec.json.decode(answer["body"])
    return Post(number, request.path, headers, body, tuple(Counter(stored_ids(store)).elements()), verdict["rejected"])


def _without_sent_at(request: Request) -> bytes:
    """These events are of the past and are sent now: by the time of sending, the collector would move all of them to today."""
    is_packed = "content-encoding" in request.headers
    plain = gzip.decompress(request.body) if is_packed else request.body
    plain = _SENT_AT.sub(b"{", plain)
    return gzip.compress(plain, 5, mtime=0) if is_packed else plain


def stored_ids(store: object) -> Iterator[UUID]:
    """The event of each line in a store, as often as it lies there: read without any code of the loader's."""
    for key, line in stored_lines(store):
        if key.startswith("events/"):
            yield UUID(msgspec.json.decode(line)["event_id"])


def stored_lines(store: object) -> Iterator[tuple[str, bytes]]:
    """Every line in a store, with its object's key."""
    import obstore

    for page in obstore.list(store):  # type: ignore[call-overload]
        for meta in page:
            for line in bytes(obstore.get(store, meta["path"]).bytes()).splitlines():  # type: ignore[arg-type]
                yield meta["path"], line
