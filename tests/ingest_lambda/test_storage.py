"""A real S3 protocol server, and ones that fail: no answer of 200 without an object."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from ingest_lambda import handler, settings
from support.aws import moto_server


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Points the collector at a server, as an emulator's users do."""

    def point(url: str, bucket: str) -> None:
        for name, text in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-central-1",
            "RAW_BUCKET_NAME": bucket,
        }.items():
            monkeypatch.setenv(name, text)
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        handler.open_store.cache_clear()

    yield point
    handler.open_store.cache_clear()


@pytest.fixture
def moto_url() -> Iterator[str]:
    """An S3 server of this process."""
    with moto_server() as url:
        yield url


def test_events_reach_a_bucket_on_s3(collector: Any, view: dict[str, Any], endpoint: Any, moto_url: str) -> None:
    import boto3

    endpoint(moto_url, "raw")
    s3 = boto3.client("s3", endpoint_url=moto_url, region_name="eu-central-1")
    s3.create_bucket(Bucket="raw", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    response = handler.handler(collector.request([view, {}]), None)
    assert response["statusCode"] == 200
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="raw")["Contents"]]
    assert sorted(key.split("/")[0] for key in keys) == ["events", "rejected"]
    stored = s3.get_object(Bucket="raw", Key=next(key for key in keys if key.startswith("events")))["Body"].read()
    assert json.loads(stored)["client_id"] == "c-1"


class Failing(BaseHTTPRequestHandler):
    """Takes a put and answers 503, as S3 does when it wants less."""

    fails_first = 99
    status = 503
    said = b""
    seen: ClassVar[list[str]] = []

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.seen.append(self.path)
        self.send_response(self.status if len(self.seen) <= self.fails_first else 200)
        self.send_header("etag", '"e"')
        self.send_header("content-length", str(len(self.said)))
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture
def failing() -> Iterator[tuple[str, type[Failing]]]:
    """A server that answers 503, as often as it is told."""
    kind = type("FailingHere", (Failing,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", kind
    server.shutdown()
    server.server_close()


def test_a_bucket_that_fails_is_a_503_and_a_line_in_the_log(
    collector: Any, view: dict[str, Any], endpoint: Any, failing: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url, server = failing
    endpoint(url, "raw")
    started = time.perf_counter()
    response = handler.handler(collector.request([view, {}], origin="https://shop.example"), None)
    assert time.perf_counter() - started < 10
    assert response["statusCode"] == 503
    assert response["headers"]["retry-after"] == str(settings.RETRY_AFTER_SECONDS)
    assert response["headers"]["access-control-allow-origin"] == "https://shop.example"
    assert json.loads(response["body"])["accepted"] == 0
    assert all("/rejected/" in path for path in server.seen)
    assert len(server.seen) == settings.STORE_MAX_RETRIES + 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["storage_unavailable", "request"]


def test_a_bucket_that_recovers_is_a_200(collector: Any, view: dict[str, Any], endpoint: Any, failing: Any) -> None:
    url, server = failing
    server.fails_first = 2
    endpoint(url, "raw")
    assert handler.handler(collector.request(view), None)["statusCode"] == 200
    assert len(set(server.seen)) == 1
    assert len(server.seen) == 3


def test_a_bucket_that_hangs_is_a_503_in_time(collector: Any, view: dict[str, Any], endpoint: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}", "raw")
        started = time.perf_counter()
        response = handler.handler(collector.request(view), None)
    assert response["statusCode"] == 503
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize("code", ["AccessDenied", "ExpiredToken", "RequestTimeTooSkewed", "KMS.DisabledException"])
def test_a_bucket_that_does_not_let_us_is_a_503_and_the_log_says_why(
    collector: Any, view: dict[str, Any], endpoint: Any, failing: Any, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    """A role that was removed, a token that is over, a clock that is wrong, a key that was switched off: no event is lost."""
    url, server = failing
    server.fails_first, server.status = 99, 400 if code in ("ExpiredToken", "KMS.DisabledException") else 403
    server.said = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    endpoint(url, "raw")
    response = handler.handler(collector.request(view), None)
    assert (response["statusCode"], len(server.seen)) == (503, 1)
    [told, _] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told["message"] == "storage_unavailable"
    assert code in told["error"]


def test_nobody_there_is_a_503(collector: Any, view: dict[str, Any], endpoint: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    endpoint(f"http://127.0.0.1:{port}", "raw")
    assert handler.handler(collector.request(view), None)["statusCode"] == 503


def test_an_object_that_did_arrive_though_its_answer_was_lost_is_a_success(
    collector: Any, view: dict[str, Any]
) -> None:
    from uuid import UUID

    from ingest_lambda.handler import collect

    given = {"store": collector.store, "received_at": handler.datetime.now(handler.UTC), "make_id": lambda: UUID(int=1)}
    tries = [collector.request(view), collector.request({**view, "client_id": "other"})]
    assert [collect(event, **given)["statusCode"] for event in tries] == [200, 200]
    assert [event["client_id"] for event in collector.events()] == ["c-1"]  # and the object that is there stays
