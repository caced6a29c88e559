"""Who may send what: routes, origins, types, and how a body is packed."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from ingest_lambda import settings

ORIGIN = "https://shop.example"
UTF_16 = '{"event_name":"a","client_id":"c"}'.encode("utf-16")


def packed(collector: Any, body: bytes, **headers: str) -> Any:
    event = collector.request("", **headers)
    return collector.send({**event, "body": base64.b64encode(body).decode(), "isBase64Encoded": True})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/clickstream", 200),
        ("POST", "/v1/events", 200),
        ("OPTIONS", "/clickstream", 204),
        ("GET", "/clickstream", 405),
        ("HEAD", "/v1/events", 405),
        ("PUT", "/v1/events", 405),
        ("POST", "/", 404),
        ("POST", "//clickstream", 404),
        ("POST", "/clickstream%00", 404),
        ("OPTIONS", "/other", 404),
        ("", "/clickstream", 405),
    ],
)
def test_routes(collector: Any, view: dict[str, Any], method: str, path: str, status: int) -> None:
    answer = collector.post(view, method=method, path=path)
    assert answer.status == status
    assert (answer.headers.get("allow") == "POST, OPTIONS") == (status == 405)
    assert len(collector.paths()) == (status == 200)


def test_a_stage_is_no_part_of_the_path(collector: Any, view: dict[str, Any]) -> None:
    event = collector.request(view, path="/prod/v1/events")
    event["requestContext"]["stage"] = "prod"
    assert collector.send(event).status == 200


@pytest.mark.parametrize(
    "event", [{}, {"body": None}, {"headers": None, "requestContext": None, "rawPath": "/clickstream"}]
)
def test_what_is_no_request_is_answered(collector: Any, event: dict[str, Any]) -> None:
    assert collector.send(event).status in (404, 405)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain;charset=UTF-8", 200),
        ("", 200),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/html", 415),
    ],
)
def test_content_types(collector: Any, view: dict[str, Any], kind: str, status: int) -> None:
    assert collector.post(view, Content_Type=kind).status == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (ORIGIN, 200),
        ("", 200),
        ("null", 403),
        ("https://evil.example", 403),
        ("https://shop.example.evil.example", 403),
        ("http://shop.example", 403),
        ("https://shop.example:8443", 403),
        ("https://shop.example\r\nset-cookie: a=b", 403),
    ],
)
def test_origins(
    collector: Any, view: dict[str, Any], monkeypatch: pytest.MonkeyPatch, origin: str, status: int
) -> None:
    monkeypatch.setenv("CLICKSTREAM_ALLOWED_ORIGINS", f"https://other.example, {ORIGIN}/")
    answer = collector.post(view, origin=origin)
    assert answer.status == status
    assert answer.headers.get("access-control-allow-origin") == (ORIGIN if origin == ORIGIN else None)
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    assert len(collector.paths()) == (status == 200)


def test_a_page_of_the_collector_s_own_host_is_no_other_site(
    collector: Any, view: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKSTREAM_ALLOWED_ORIGINS", ORIGIN)
    assert collector.post(view, origin="http://127.0.0.1:8787", host="127.0.0.1:8787").status == 200
    assert collector.post(view, origin="http://127.0.0.1:9999", host="127.0.0.1:8787").status == 403
    assert collector.post(view, origin="null", host="").status == 403
    assert collector.post(view, origin="http://192.0.2.7:8787", host="192.0.2.7:8787").status == 200


def test_a_stranger_s_name_that_leads_here_is_another_site(
    collector: Any, view: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKSTREAM_ALLOWED_ORIGINS", ORIGIN)
    assert collector.post(view, origin="http://evil.example", host="evil.example").status == 403
    monkeypatch.setenv("CLICKSTREAM_HOSTS", "events.shop.example, other.example")
    assert collector.post(view, origin="http://evil.example", host="evil.example").status == 403
    assert collector.post(view, origin="https://other.example", host="other.example").status == 200


def test_any_origin_may_send_where_none_is_listed(collector: Any, view: dict[str, Any]) -> None:
    answer = collector.post(view, method="OPTIONS", origin="https://any.example")
    assert answer.headers["access-control-allow-origin"] == "https://any.example"
    assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
    refused = collector.post(view, origin="https://any.example", content_type="text/html")
    assert refused.headers["access-control-allow-origin"] == "https://any.example"


@pytest.mark.parametrize("pack", [gzip.compress, bytes, lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])])
@pytest.mark.parametrize("header", [{}, {"content_encoding": "gzip"}])
def test_packed_or_not_the_bytes_decide(
    collector: Any, view: dict[str, Any], pack: Callable[[bytes], bytes], header: dict[str, str]
) -> None:
    assert packed(collector, pack(b"\xef\xbb\xbf" + json.dumps(view).encode()), **header).status == 200


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip"])
def test_other_codings_are_refused(collector: Any, view: dict[str, Any], coding: str) -> None:
    assert collector.post(view, content_encoding=coding).status == 415


@pytest.mark.parametrize(
    ("body", "code", "kept"),
    [
        (gzip.compress(b"{}" * 99, mtime=0)[:-9], "invalid_gzip", b""),
        (gzip.compress(b"{}", mtime=0)[:5], "invalid_gzip", b""),
        (b"\x1f\x8bnot gzip at all", "invalid_gzip", b""),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "invalid_gzip", b""),
        (UTF_16, "invalid_utf8", UTF_16),
        (b'"\xc0\xaf"', "invalid_utf8", b'"\xc0\xaf"'),
    ],
)
def test_a_body_that_cannot_be_read(collector: Any, body: bytes, code: str, kept: bytes) -> None:
    answer = packed(collector, body)
    assert (answer.status, answer.codes) == (400, [code])
    assert base64.b64decode(collector.rejected()[0].get("body", "")) == kept


def test_what_is_not_base64_is_counted_and_not_kept(collector: Any) -> None:
    answer = collector.send({**collector.request("{}"), "isBase64Encoded": True})
    assert answer.codes == ["invalid_base64"]
    assert "body" not in collector.rejected()[0]


@pytest.mark.parametrize(
    ("size", "status"), [(settings.MAX_BODY_BYTES, 400), (settings.MAX_BODY_BYTES + 1, 413), (6_000_000, 413)]
)
def test_a_large_body(collector: Any, size: int, status: int) -> None:
    assert collector.post("[" + " " * (size - 2) + "]").status == status
    assert packed(collector, b"[" + b" " * (size - 2) + b"]").status == status


_BOMB = """
import gzip, io, resource, sys
from ingest_lambda.request import Refusal, gunzip
from ingest_lambda.settings import MAX_DECOMPRESSED_BYTES
packed = io.BytesIO()
with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as file:
    for _ in range(300):
        file.write(bytes(1_000_000))
bomb = packed.getvalue()
del packed
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    gunzip(bomb)
except Refusal as refusal:
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    print(len(bomb), refusal.status, grown, grown < 2 * MAX_DECOMPRESSED_BYTES)
"""


def test_a_bomb_is_refused_before_it_takes_memory() -> None:
    ran = subprocess.run([sys.executable, "-c", _BOMB], capture_output=True, text=True, check=True, timeout=30)
    size, status, _grown, is_small = ran.stdout.split()
    assert int(size) < settings.MAX_BODY_BYTES
    assert (status, is_small) == ("413", "True")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (gzip.compress(b" " * 3_900_000, mtime=0), "body_too_large"),
        (gzip.compress(b"x" * 3_900_000, mtime=0), "body_too_large"),
        (gzip.compress(b"", mtime=0) * 40_000, "too_many_members"),
        (
            gzip.compress(b"[", mtime=0) + gzip.compress(b" ", mtime=0) * 100 + gzip.compress(b"]", mtime=0),
            "too_many_members",
        ),
    ],
)
def test_a_body_that_unpacks_to_far_more_than_it_sent_is_refused(collector: Any, body: bytes, code: str) -> None:
    answer = packed(collector, body)
    assert (answer.status, answer.codes) == (413, [code])
    assert not collector.paths()


def test_a_batch_that_repeats_itself_is_taken(collector: Any, view: dict[str, Any]) -> None:
    same = {**view, "page_url": "https://shop.example/" + "a/" * 400}
    cart = [{"id": f"SKU-{number * 7919 % 10_007}", "price": number * 104_729 % 9_973 / 100} for number in range(80)]
    alike = [{**view, "event_timestamp": 1773500400000 + number, "props": {"cart": cart}} for number in range(500)]
    for events in ([same] * 500, alike):
        assert packed(collector, gzip.compress(json.dumps(events).encode())).status == 200


def test_a_page_may_read_how_long_it_is_to_wait(collector: Any, view: dict[str, Any]) -> None:
    answer = collector.post(view, origin=ORIGIN)
    assert answer.headers["access-control-expose-headers"] == "retry-after"
