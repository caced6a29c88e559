"""A collector on a bucket in memory, asked as API Gateway asks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from obstore.store import MemoryStore, ObjectStore

from ingest_lambda.handler import collect

NOW = datetime(2026, 3, 14, 15, 9, 26, 535897, tzinfo=UTC)
EVENTS = Path(__file__).resolve().parent.parent / "events"


class Answer(NamedTuple):
    """A response, with its body read."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def codes(self) -> list[str]:
        return [error["code"] for error in self.body["errors"]]


def request(body: Any, *, method: str = "POST", path: str = "/clickstream", **headers: str) -> dict[str, Any]:
    """An HTTP API event, payload format 2.0, with the caller's address as API Gateway tells it."""
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": {
            "x-forwarded-for": "203.0.113.9",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        },
        "requestContext": {"stage": "$default", "http": {"method": method, "path": path, "sourceIp": "203.0.113.9"}},
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


class Collector:
    """Asks the collector and reads its bucket."""

    request = staticmethod(request)

    def __init__(self) -> None:
        self.store: ObjectStore = MemoryStore()

    def post(self, body: Any, *, at: datetime = NOW, salt: str = "pepper", **given: str) -> Answer:
        return self.send(request(body, **given), at=at, salt=salt)

    def send(self, event: dict[str, Any], *, at: datetime = NOW, salt: str = "pepper") -> Answer:
        response = collect(event, store=self.store, received_at=at, salt=salt)
        return Answer(response["statusCode"], response["headers"], json.loads(response["body"] or "null"))

    def paths(self, root: str = "") -> list[str]:
        return sorted(found["path"] for found in self.store.list(root or None).collect())

    def lines(self, root: str = "events") -> list[bytes]:
        return [line for key in self.paths(root) for line in bytes(self.store.get(key).bytes()).splitlines()]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines("events")]

    def rejected(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines("rejected")]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Collector:
    """A collector with an empty bucket and no settings of the machine it is tested on."""
    secrets = ("CLICKSTREAM_HASH_SALT", "CLICKSTREAM_HASH_SALT_PARAMETER", "CLICKSTREAM_ORIGIN_SECRET_PARAMETER")
    for name in ("CLICKSTREAM_ALLOWED_ORIGINS", *secrets, "RAW_BUCKET_NAME"):
        monkeypatch.delenv(name, raising=False)
    return Collector()


@pytest.fixture
def view() -> dict[str, Any]:
    """The smallest event that is accepted."""
    return {"event_name": "page_view", "client_id": "c-1"}


@pytest.fixture
def sample() -> Callable[[str], Any]:
    """A request or an event of `tests/events`, by name."""
    return lambda name: json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
