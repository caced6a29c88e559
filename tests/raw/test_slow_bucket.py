"""A bucket that takes its time: no browser waits for the loader, so a large object is read to its end, and a bad moment is
waited for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from ingest_lambda import settings
from support.aws import KEYS, REGION

BODY = json.dumps({"event_name": "page_view", "client_id": "ann"}).encode() * 40_000
PARTS = 10


class Slow(BaseHTTPRequestHandler):
    """Gives an object in parts, after as many failures as it is told."""

    failures = 0
    pause = 0.0
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        if len(self.seen) <= self.failures:
            self.send_response(503)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self.send_response(200)
        for name, said in {
            "content-length": str(len(BODY)),
            "etag": '"e"',
            "last-modified": "Thu, 01 Jan 2026 01:00:00 GMT",
        }.items():
            self.send_header(name, said)
        self.end_headers()
        for start in range(0, len(BODY), len(BODY) // PARTS):
            self.wfile.write(BODY[start : start + len(BODY) // PARTS])
            time.sleep(self.pause)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Slow]]:
    kind = type("SlowHere", (Slow,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, text in {
        **KEYS,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
    }.items():
        monkeypatch.setenv(name, text)
    yield kind
    server.shutdown()
    server.server_close()


def loaded() -> bytes:
    stack = Stack(replace(load_settings({}), raw_bucket="raw"))
    found = RawObject("events/2026/03/14/15/event-1.json", '"e"', len(BODY), datetime(2026, 3, 14, 15, tzinfo=UTC))
    return b"".join(body.file.read() for body in read(stack.store, [found]))


def test_an_object_that_takes_longer_than_a_browser_waits_is_read_to_its_end(
    bucket: type[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STORE_TIMEOUT", timedelta(seconds=0.2))
    monkeypatch.setattr(settings, "STORE_RETRY_FOR", timedelta(seconds=0.2))
    bucket.pause = 0.1
    assert loaded() == BODY
    assert len(bucket.seen) == 1


def test_a_bucket_that_fails_for_a_moment_is_waited_for(bucket: type[Slow]) -> None:
    bucket.failures = settings.STORE_MAX_RETRIES + 2
    assert loaded() == BODY
