"""A small shop on one host and the real collector on another, with faults between them that a test writes down."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from obstore.store import MemoryStore
from playwright.sync_api import Page

from clickstream_dagster.local.gateway.api_event import ASGIApp, Message, Receive, Scope, Send
from clickstream_dagster.local.gateway.app import app
from clickstream_dagster.local.gateway.tokens import Tokens
from ingest_lambda.handler import collect

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "tracker" / "dist"
#: What a request meets instead of the collector, or before it. None: nothing.
Fault = Callable[["Exchange", Send], Any]


@dataclass
class Exchange:
    """One request for the collector, and what was answered; 0: nothing."""

    at: float
    body: bytes
    headers: dict[str, str]
    status: int = 0
    path: str = "/clickstream"

    @property
    def ids(self) -> list[str]:
        return [event["event_id"] for event in self.events]

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(json.loads(self.body)["events"])


@dataclass
class Collector:
    """The real one, and what it has seen."""

    store: MemoryStore = field(default_factory=MemoryStore)
    seen: list[Exchange] = field(default_factory=list)
    #: Asked for every request; returns the fault that it meets.
    fault: Callable[[Exchange], Fault | None] = lambda exchange: None
    url: str = ""
    #: Checks the tokens of who is signed in; without it nobody is.
    tokens: Tokens | None = None

    def lines(self, prefix: str = "events") -> list[dict[str, Any]]:
        """Every line of every raw object."""
        keys = sorted(entry["path"] for batch in self.store.list(prefix) for entry in batch)
        return [json.loads(line) for key in keys for line in bytes(self.store.get(key).bytes()).splitlines()]

    def ids(self) -> list[str]:
        return [line["event_id"] for line in self.lines()]

    def names(self) -> list[str]:
        """The names of the stored events, each event once, in the order of their times."""
        events = {line["event_id"]: line for line in self.lines()}
        return [event["event_name"] for event in sorted(events.values(), key=lambda event: event["event_timestamp"])]

    def take(self, exchange: Exchange) -> None:
        """What the collector does with a request, without an answer to anyone."""
        event = {
            "rawPath": "/clickstream",
            "requestContext": {"http": {"method": "POST"}},
            "headers": exchange.headers,
            "body": exchange.body.decode(),
        }
        collect(event, store=self.store, received_at=datetime.now(UTC))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = app(self.store, self.tokens)
        if scope["method"] != "POST":
            return await inner(scope, receive, send)
        body = await _whole(receive)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        exchange = Exchange(time.monotonic(), body, headers, path=scope["path"])
        self.seen.append(exchange)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            await send(message)

        fault = self.fault(exchange)
        if fault is not None:
            return await fault(exchange, noting)
        return await inner(scope, _again(body), noting)


def answer(status: int, body: str = "", headers: dict[str, str] | None = None) -> Fault:
    """An answer that does not come from the collector. Pages may read it, unless its headers say otherwise."""
    given = {"access-control-allow-origin": "*", "content-type": "text/html", **(headers or {})}
    pairs = [(name.encode(), value.encode()) for name, value in given.items()]

    async def reply(exchange: Exchange, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body.encode()})

    return reply


def silence(seconds: float) -> Fault:
    """No answer for a while, and then none either."""

    async def wait(exchange: Exchange, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(seconds)

    return wait


def cut_off(collector: Collector) -> Fault:
    """The collector takes the events, but the line breaks in the middle of its answer."""

    async def take(exchange: Exchange, send: Send) -> None:
        collector.take(exchange)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"99")]})

    return take


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


PAGE = """<!doctype html><html><head><title>%(title)s</title>%(head)s
<script defer src="/clickstream.js" data-endpoint="%(endpoint)s" %(attributes)s></script></head>
<body><a id="next" href="/next">next</a> %(body)s</body></html>"""


@dataclass
class Shop:
    """Pages with the tracker on them. Any path is a page; a test sets what is on it."""

    collector: Collector
    url: str = ""
    attributes: str = ""
    head: str = ""
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    script: bytes = b""
    visits: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        headers = {"cache-control": "no-store", **self.headers} if path == "/uncached" else self.headers
        if path.endswith((".js", ".mjs")):
            body, kind = self.script or (DIST / path.lstrip("/")).read_bytes(), "text/javascript"
        elif path == "/favicon.ico":
            body, kind = b"", "image/x-icon"
        else:
            self.visits.append(path)
            body, kind = self.page(path).encode(), "text/html; charset=utf-8"
        pairs = [(b"content-type", kind.encode()), *((k.encode(), v.encode()) for k, v in headers.items())]
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    def page(self, path: str) -> str:
        parts = {"title": path, "head": self.head, "body": self.body}
        return PAGE % {**parts, "endpoint": self.collector.url, "attributes": self.attributes}


@contextmanager
def served(application: ASGIApp, port: int = 0) -> Iterator[int]:
    """Serve until the block ends; gives the port."""
    listener = socket.create_server(("127.0.0.1", port), backlog=100)
    # A held answer must not hold up the end of a test.
    config = uvicorn.Config(application, lifespan="off", log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
        listener.close()


#: What a browser itself writes on the console about a request that failed, or was not let out.
_NETWORK = (
    "Failed to load resource",
    "net::ERR",
    "Cross-Origin Request Blocked",
    "blocked by CORS policy",
    "Content Security Policy",
)
#: What the tracker tells a shop's developer: the collector's word on events that were refused, or not kept as they were sent.
_VERDICT = "{accepted: "


def watched(page: Page, wrong: list[str]) -> None:
    """Note everything that goes wrong on a page from now on. A promise that nobody looks after counts as an exception."""
    page.on("pageerror", lambda error: wrong.append(f"exception: {error}"))
    page.on(
        "console",
        lambda line: (
            wrong.append(f"console: {line.text}")
            if line.type in ("error", "warning") and not any(word in line.text for word in (*_NETWORK, _VERDICT))
            else None
        ),
    )


def say(page: Page, numbers: range, padding: int = 0) -> None:
    """One event for each number, by which it is found again whatever its id is."""
    page.evaluate(
        """([first, last, padding]) => {
            for (let n = first; n < last; n++) clickstream.track("said", {props: {n, pad: "x".repeat(padding)}});
        }""",
        [numbers.start, numbers.stop, padding],
    )


def heard(collector: Collector) -> dict[int, set[str]]:
    """The numbers that have arrived, and the ids that each has come with."""
    found: dict[int, set[str]] = {}
    for line in collector.lines():
        if line["event_name"] == "said":
            found.setdefault(line["props"]["n"], set()).add(line["event_id"])
    return found


def assert_all_heard(collector: Collector, numbers: range) -> int:
    """Each event has arrived, under one id. Returns how many lines were repeats, which the loader removes."""
    found = heard(collector)
    assert sorted(found) == list(numbers)
    assert {len(ids) for ids in found.values()} <= {1}
    ids = collector.ids()
    return len(ids) - len(set(ids))


def until(holds: Callable[[], Any], seconds: float = 10) -> None:
    """Wait for something that happens outside the browser."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def pass_time_until(page: Page, jump: int, holds: Callable[[], Any]) -> None:
    """Move the page's clock on by so many milliseconds until it holds: again, for what a page waits for may only now begin."""

    def after_a_jump() -> bool:
        page.clock.fast_forward(jump)
        page.wait_for_timeout(50)
        return bool(holds())

    until(after_a_jump)


def flush(page: Page) -> int:
    """Send what waits, and count what still waits."""
    return int(page.evaluate("clickstream.flush().then(() => clickstream.pending())"))


def stop_clock(page: Page) -> None:
    """By a clock that stands still a page sends when a test tells it to, and never by itself."""
    page.clock.install()
    hold_clock(page)


def hold_clock(page: Page) -> None:
    """Let an installed clock stand still from here on."""
    page.clock.pause_at(datetime.now(UTC) + timedelta(seconds=1))


def stored(page: Page) -> dict[str, list[str]]:
    """The names of everything that this host has stored in the browser."""
    found: dict[str, list[str]] = page.evaluate(
        """async () => ({
            cookies: document.cookie.split("; ").filter(Boolean),
            local: Object.keys(localStorage),
            databases: indexedDB.databases ? (await indexedDB.databases()).map(({name}) => name) : [],
        })"""
    )
    return found
