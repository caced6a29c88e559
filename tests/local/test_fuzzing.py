"""Whatever is sent to the running gateway: no 5xx, no answer that does not come, and what a 200 says was accepted is stored."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from ingest_lambda.openapi import document
from support.gateways import gateway
from support.thorough import examples

SECONDS = 15


@dataclass
class Site:
    """A gateway and the folder that it stores into."""

    port: int
    raw: Path
    seen: set[Path] = field(default_factory=set)

    def check(self, status: int, body: bytes, seconds: float) -> None:
        """What holds for each answer, whatever was sent."""
        assert status < 500, body
        assert seconds < SECONDS
        stored = self._newly_stored()
        if status in (200, 400) and body.startswith(b'{"accepted"'):
            verdict = json.loads(body)
            assert stored == {"events": verdict["accepted"], "rejected": verdict["rejected"]}
        else:
            assert stored == {"events": 0, "rejected": 0}, status

    def _newly_stored(self) -> dict[str, int]:
        files = {file for root in ("events", "rejected") for file in (self.raw / root).rglob("*.json")} - self.seen
        self.seen |= files
        lines = {"events": 0, "rejected": 0}
        for file in files:
            lines[file.relative_to(self.raw).parts[0]] += len(file.read_bytes().splitlines())
        return lines


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("home")
    with gateway(home) as (port, process):
        yield Site(port, home / "raw")
        assert process.poll() is None, "the gateway has ended"


DESCRIBED = schemathesis.openapi.from_dict(document())


def test_the_gateway_serves_the_description(site: Site) -> None:
    with closing(HTTPConnection("127.0.0.1", site.port, timeout=SECONDS)) as connection:
        connection.request("GET", "/openapi.json")
        response = connection.getresponse()
        assert response.getheader("content-type") == "application/json"
        assert json.loads(response.read()) == document()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not allowed"])
@pytest.mark.parametrize("path", document()["paths"])
@settings(max_examples=examples(120), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_description_allows_and_what_it_does_not(
    site: Site, path: str, mode: GenerationMode, data: st.DataObject
) -> None:
    case = data.draw(DESCRIBED[path]["POST"].as_strategy(generation_mode=mode))
    started = time.perf_counter()
    response = case.call(base_url=f"http://127.0.0.1:{site.port}", timeout=2 * SECONDS)
    site.check(response.status_code, response.content, time.perf_counter() - started)
    case.validate_response(response, checks=[status_code_conformance, response_schema_conformance])


EVENT = {"event_name": "page_view", "client_id": "ann", "page_url": "https://shop.example/"}
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_json = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)
_fields = st.sampled_from(
    ["event_id", "event_name", "event_timestamp", "client_id", "order", "product", "items", "props"]
)
_events = st.lists(st.dictionaries(_fields, _json, max_size=4).map(lambda more: EVENT | more), max_size=4)
_whole = st.one_of(_events, _json, st.fixed_dictionaries({"sent_at": _scalars, "events": _events})).map(json.dumps)
_texts = st.builds(lambda text, cut, junk: text.encode("utf-8", "replace")[: cut or None] + junk,
                   _whole, st.integers(-9, 0), st.sampled_from([b"", b"", b"\0", b"\xff", b"\n{}", b"]"]))  # fmt: skip
BODIES = st.one_of(_texts, _texts.map(gzip.compress), st.binary(max_size=200), st.just(b"[" * 50_000))
PATHS = st.sampled_from(
    [*["/clickstream"] * 6, "/v1/events", "/clickstream/auth", "//clickstream", "/clickstream%00", "/%00", "/", "*",
     "/clickstream?" + "q" * 8_000, "/healthz", "/openapi.json", "/../etc/passwd", "/x/%2e%2e/x", "/caf\xe9"]
)  # fmt: skip
METHODS = st.sampled_from([*["POST"] * 6, "GET", "HEAD", "PUT", "OPTIONS", "DELETE", "BREW"])
_values = st.binary(max_size=60).map(lambda value: value.translate(None, b"\r\n\0"))
HEADERS = st.dictionaries(
    st.sampled_from([b"content-type", b"content-encoding", b"origin", b"user-agent", b"referer", b"x-forwarded-for", b"cookie"]),
    _values | st.sampled_from([b"application/json", b"text/plain", b"gzip", b"null", b"http://evil.example", b"x" * 9_000]),
    max_size=3,
)  # fmt: skip


@settings(max_examples=examples(1500), suppress_health_check=list(HealthCheck))
@given(METHODS, PATHS, HEADERS, BODIES)
def test_any_request(site: Site, method: str, path: str, headers: dict[bytes, bytes], body: bytes) -> None:
    lines = [f"{method} {path} HTTP/1.1".encode("latin-1"), b"host: 127.0.0.1", b"content-length: %d" % len(body)]
    lines += [name + b": " + value for name, value in headers.items()]
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", site.port), timeout=2 * SECONDS) as connection:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        response = HTTPResponse(connection, method=method)
        response.begin()
        site.check(response.status, response.read(), time.perf_counter() - started)


@settings(max_examples=examples(300), suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400))
def test_any_bytes_are_answered_or_the_connection_ends(site: Site, sent: bytes) -> None:
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", site.port), timeout=2 * SECONDS) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        try:
            response = HTTPResponse(connection)
            response.begin()
        except (HTTPException, ConnectionError):
            assert time.perf_counter() - started < SECONDS
        else:
            site.check(response.status, response.read(), time.perf_counter() - started)
