"""The tracker's files beside the collector, over real HTTP."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest
import uvicorn
from obstore.store import MemoryStore

from clickstream_dagster.local.gateway.app import app
from clickstream_dagster.local.gateway.serving import listen
from clickstream_dagster.local.gateway.tracker_files import TRACKER_PATHS, with_tracker

DIST = Path(__file__).resolve().parents[2] / "tracker" / "dist"
Ask = Callable[..., tuple[HTTPResponse, bytes]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Ask the gateway with the files on it. Paths go out as they are written: no client mends them."""
    listener = listen(port=0)
    server = uvicorn.Server(uvicorn.Config(with_tracker(app(MemoryStore())), lifespan="off", log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)

    def asked(path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=20)
        connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    yield asked
    server.should_exit = True
    thread.join(timeout=10)


@pytest.mark.parametrize("path", TRACKER_PATHS)
def test_a_script_is_the_built_one_for_any_shop_and_can_be_asked_for_again(ask: Ask, path: str) -> None:
    response, body = ask(path)
    assert (response.status, response.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert body == (DIST / path.lstrip("/")).read_bytes()
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cache-control"] == "no-cache"
    again, nothing = ask(path, if_none_match=response.headers["etag"])
    assert (again.status, nothing) == (304, b"")
    head, nothing = ask(path, "HEAD")
    assert (head.status, nothing, head.headers["content-length"]) == (200, b"", str(len(body)))
    assert ask(path, if_none_match='"another"')[0].status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/shop/",
        "/dist/clickstream.js",
        "/clickstream.js/../build.mjs",
        "/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/clickstream.js%00",
    ],
)
def test_no_other_file_is_there(ask: Ask, path: str) -> None:
    response, body = ask(path)
    assert response.status == 404
    assert json.loads(body)["errors"][0]["code"] == "not_found"


def test_nothing_can_be_sent_to_a_script_and_the_collector_is_still_there(ask: Ask) -> None:
    response, _ = ask("/clickstream.js", "POST")
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")
    assert ask("/healthz")[1] == b"ok"
