"""The gateway over real HTTP: what a browser sends reaches the collector as API Gateway would hand it over."""

from __future__ import annotations

import asyncio
import base64
import gzip
import http.client
import json
import re
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn
from obstore.store import MemoryStore

from clickstream_dagster.local.gateway import app as gateway_app
from clickstream_dagster.local.gateway.api_event import to_event
from clickstream_dagster.local.gateway.app import app
from clickstream_dagster.local.gateway.serving import PortInUse, config, listen, serve
from ingest_lambda.settings import MAX_BODY_BYTES

SAMPLE = {
    "eventName": "view_product",
    "userId": "u-123",
    "sessionId": "s-abc",
    "pageUrl": "https://example.com/product/sku-1",
    "referrer": "https://google.com",
    "userLoginState": "guest",
    "product": {
        "id": "sku-1",
        "name": "Laptop",
        "category": "Computers",
        "brand": "SBW",
        "price": 1200,
        "discountPrice": 999,
    },
}
JSON = {"content-type": "application/json"}


class Site:
    """A gateway that is being served, and the store behind it."""

    def __init__(self, port: int, store: MemoryStore) -> None:
        self.port = port
        self.store = store

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def keys(self, prefix: str = "events") -> list[str]:
        return sorted(entry["path"] for batch in self.store.list(prefix) for entry in batch)

    def lines(self) -> list[dict[str, Any]]:
        bodies = [bytes(self.store.get(key).bytes()) for key in self.keys()]
        return [json.loads(line) for body in bodies for line in body.splitlines()]


@pytest.fixture
def site() -> Iterator[Site]:
    store = MemoryStore()
    listener = listen(port=0)
    server = uvicorn.Server(config(app(store)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Site(listener.getsockname()[1], store)
    server.should_exit = True
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_the_sample_request_becomes_one_object_in_the_hour_of_its_receipt(site: Site) -> None:
    before = datetime.now(UTC)
    status, body = site.request("POST", "/clickstream", json.dumps(SAMPLE), JSON)
    assert status == 200, body
    assert json.loads(body)["accepted"] == 1
    (key,) = site.keys()
    assert re.fullmatch(r"events/\d{4}/\d\d/\d\d/\d\d/event-[0-9a-f-]{36}\.json(\.gz)?", key)
    hours = {f"events/{moment:%Y/%m/%d/%H}/" for moment in (before, datetime.now(UTC))}
    assert any(key.startswith(hour) for hour in hours)


def test_a_gzip_body_is_collected(site: Site) -> None:
    body = gzip.compress(json.dumps({"events": [SAMPLE, SAMPLE]}).encode())
    status, reply = site.request("POST", "/v1/events", body, {**JSON, "content-encoding": "gzip"})
    assert (status, json.loads(reply)["accepted"]) == (200, 2)


def test_a_beacon_is_collected_and_keeps_its_text(site: Site) -> None:
    body = json.dumps({**SAMPLE, "pageUrl": "https://example.com/süß"}, ensure_ascii=False).encode()
    status, _ = site.request("POST", "/clickstream", body, {"content-type": "text/plain;charset=UTF-8"})
    assert status == 200
    assert site.lines()[0]["page_url"] == "https://example.com/süß"


def test_a_body_without_content_type_is_collected(site: Site) -> None:
    assert site.request("POST", "/clickstream", json.dumps(SAMPLE).encode())[0] == 200


def test_more_than_the_collector_takes_is_refused(site: Site) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    assert site.request("POST", "/clickstream", body, JSON)[0] == 413
    assert site.keys() == []


def test_a_stream_without_length_is_refused_once_it_is_too_long(site: Site) -> None:
    chunk = b"x" * (1 << 20)
    assert site.request("POST", "/clickstream", (chunk for _ in range(11)), JSON)[0] == 413
    assert site.keys() == []
    assert site.request("POST", "/clickstream", json.dumps(SAMPLE), JSON)[0] == 200, "the server lives on"


def test_a_preflight_is_answered(site: Site) -> None:
    headers = {"origin": "https://www.bitforge.example", "access-control-request-method": "POST"}
    status, _ = site.request("OPTIONS", "/clickstream", headers=headers)
    assert status in (200, 204)
    assert site.keys() == []


def test_an_unknown_path_is_not_found_and_stores_nothing(site: Site) -> None:
    assert site.request("POST", "/nowhere", json.dumps(SAMPLE), JSON)[0] == 404
    assert site.keys() == []


def test_health(site: Site) -> None:
    assert site.request("GET", "/healthz") == (200, b"ok")


def test_parallel_requests_make_one_object_each(site: Site) -> None:
    one = ("POST", "/clickstream", json.dumps(SAMPLE), JSON)
    threads = [threading.Thread(target=site.request, args=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(site.keys()) == 20


def test_a_sender_that_leaves_half_way_leaves_nothing(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port)) as half:
        body = json.dumps(SAMPLE).encode()
        half.sendall(b"POST /clickstream HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (len(body) + 1) + body)
        time.sleep(0.1)
    time.sleep(0.2)
    assert site.keys() == []


def test_a_taken_port_is_one_clear_error() -> None:
    with listen(port=0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"Port {port} .*choose another port"):
            serve(app(MemoryStore()), port=port)


def test_a_defect_of_the_collector_is_a_500_without_its_reason(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(event: dict[str, Any], **_: Any) -> dict[str, Any]:
        raise ValueError("a secret")

    monkeypatch.setattr(gateway_app, "collect", broken)
    status, body = site.request("POST", "/clickstream", json.dumps(SAMPLE), JSON)
    assert status == 500
    assert b"secret" not in body


# --- the event, as the documentation of payload format 2.0 has it ---


def _scope(headers: list[tuple[bytes, bytes]], path: str = "/clickstream", query: bytes = b"") -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": query,
        "http_version": "1.1",
        "client": ("203.0.113.1", 4000),
        "headers": headers,
    }


def _event(headers: list[tuple[bytes, bytes]], body: bytes = b"{}", **scope: Any) -> dict[str, Any]:
    return to_event(_scope(headers, **scope), body, datetime(2026, 11, 20, 12, tzinfo=UTC))


def test_headers_are_lower_case_and_duplicates_are_joined() -> None:
    event = _event([(b"X-Tag", b"a"), (b"x-tag", b"b"), (b"Cookie", b"one=1; two=2"), (b"cookie", b"three=3")])
    assert event["headers"] == {"x-tag": "a,b"}
    assert event["cookies"] == ["one=1", "two=2", "three=3"]


def test_the_request_context_and_the_query() -> None:
    event = _event([(b"user-agent", b"Mozilla/5.0")], query=b"a=1&a=2&b=")
    assert event["version"] == "2.0"
    assert (event["routeKey"], event["rawPath"], event["rawQueryString"]) == (
        "POST /clickstream",
        "/clickstream",
        "a=1&a=2&b=",
    )
    assert event["queryStringParameters"] == {"a": "1,2", "b": ""}
    context = event["requestContext"]
    assert context["timeEpoch"] == 1_795_176_000_000
    assert context["requestId"]
    assert context["http"] == {
        "method": "POST",
        "path": "/clickstream",
        "protocol": "HTTP/1.1",
        "sourceIp": "203.0.113.1",
        "userAgent": "Mozilla/5.0",
    }
    assert _event([], path="/nowhere")["routeKey"] == "$default"


@pytest.mark.parametrize(
    ("headers", "body", "is_base64"),
    [
        ([(b"content-type", b"application/json")], b"{}", False),
        ([(b"content-type", b"application/cloudevents+json; charset=utf-8")], b"{}", False),
        ([(b"content-type", b"text/plain;charset=UTF-8")], b"{}", False),
        ([(b"content-type", b"application/json"), (b"content-encoding", b"gzip")], gzip.compress(b"{}", mtime=0), True),
        ([(b"content-type", b"application/octet-stream")], b"{}", True),
        ([(b"content-type", b"application/json")], b"\xff\xfe", True),
        ([], b"{}", True),
        ([(b"content-type", b"application/octet-stream")], b"", False),
    ],
)
def test_text_is_plain_and_all_else_is_base64(headers: list[tuple[bytes, bytes]], body: bytes, is_base64: bool) -> None:
    event = _event(headers, body)
    assert event["isBase64Encoded"] is is_base64
    held = event.get("body", "")
    assert (base64.b64decode(held) if is_base64 else held.encode()) == body


def test_the_refusal_of_an_endless_body_costs_constant_memory() -> None:
    sent: list[dict[str, Any]] = []
    chunk = b"x" * 65_536

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def refuse() -> None:
        await app(MemoryStore())(_scope([]), receive, send)

    tracemalloc.start()
    asyncio.run(refuse())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent[0]["status"] == 413
    assert peak < 3 * MAX_BODY_BYTES
