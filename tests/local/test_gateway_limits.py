"""No sender can hold the gateway up, or fill it: time, connections, heads, bodies and the queue are bounded."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import obstore
import pytest
import uvicorn
from obstore.store import MemoryStore

from clickstream_dagster.local.gateway import admission, connections
from clickstream_dagster.local.gateway.app import app
from clickstream_dagster.local.gateway.serving import config, listen
from support.gateways import gateway
from support.power import Disk

EVENT = {"event_name": "page_view", "client_id": "ann", "page_url": "https://shop.example/"}
JSON = {"content-type": "application/json"}
HEAD = b"POST /clickstream HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"


class HangingStore:
    """Takes connections and never answers, as a bucket behind a broken network does; the client gives up after a while."""

    seconds = 1.0

    def put(self, *_: Any, **__: Any) -> None:
        time.sleep(self.seconds)
        raise TimeoutError("no answer")


@contextmanager
def serving(store: Any) -> Iterator[int]:
    listener = listen(port=0)
    server = uvicorn.Server(config(app(store)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(timeout=15)
    assert not thread.is_alive()


@pytest.fixture
def port() -> Iterator[int]:
    with serving(MemoryStore()) as number:
        yield number


def post(port: int, **more: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/clickstream", json.dumps({**EVENT, **more}), JSON)
        response = connection.getresponse()
        return response.status, json.loads(response.read()), dict(response.getheaders())
    finally:
        connection.close()


def answer_to(port: int, sent: bytes, patience: float = 20) -> bytes:
    """All that the server says until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        connection.sendall(sent)
        found = b""
        while part := connection.recv(65_536):
            found += part
        return found


@pytest.mark.parametrize("head", [b"", HEAD, HEAD + b"x: " + b"y" * 1000])
def test_a_head_that_does_not_end_is_a_408(port: int, monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    assert answer_to(port, head).startswith(b"HTTP/1.1 408 ")
    assert post(port)[0] == 200


def test_a_body_that_does_not_end_is_a_408_and_stores_nothing(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.3)
    assert answer_to(port, HEAD + b"content-length: 100\r\n\r\n{").startswith(b"HTTP/1.1 408 ")
    assert answer_to(port, HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n").startswith(b"HTTP/1.1 408 ")


def test_the_second_request_of_a_connection_has_no_more_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    body = json.dumps(EVENT).encode()
    whole = HEAD + b"content-length: %d\r\n\r\n" % len(body) + body
    found = answer_to(port, whole + HEAD)
    assert found.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in found


def test_a_head_without_an_end_is_cut_off_by_its_size(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(HEAD)
        sent = 0
        with suppress(OSError):  # reset or broken pipe, as the system likes
            while sent < 100_000_000:
                sent += connection.send(b"x-filler: " + b"y" * 65_000 + b"\r\n")
    assert sent < 20_000_000
    assert post(port)[0] == 200


def test_with_too_many_connections_those_go_that_have_waited_longest(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 50)
    with ExitStack() as held:
        half_open = [held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)) for _ in range(200)]
        assert post(port)[0] == 200
        assert half_open[0].recv(100) == b""
        half_open[-1].setblocking(False)
        with pytest.raises(BlockingIOError):
            half_open[-1].recv(100)


def test_bodies_are_held_up_to_a_bound_all_together(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_HELD_BYTES", 1_000_000)
    half = HEAD + b"content-length: 400000\r\n\r\n" + b" " * 390_000
    with ExitStack() as held:
        senders = [held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(3)]
        for sender in senders:
            sender.sendall(half)
        refused = next(_until_answered(senders))
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in refused
    for _ in range(100):
        if (status := post(port)[0]) == 200:
            break
        time.sleep(0.1)
    assert status == 200, "what the senders held is free again"


def _until_answered(senders: list[socket.socket]) -> Iterator[bytes]:
    import select

    ready, _, _ = select.select(senders, [], [], 10)
    for sender in ready:
        yield sender.recv(65_536)


def test_a_store_that_hangs_makes_a_503_in_time_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "THREADS", 4)
    monkeypatch.setattr(admission, "PATIENCE", 0.5)

    def one(number: int) -> tuple[int, float, dict[str, str]]:
        started = time.perf_counter()
        status, _, headers = post(port)
        return status, time.perf_counter() - started, headers

    with serving(HangingStore()) as port, ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(one, range(60)))
    assert {status for status, _, _ in answers} == {503}
    assert {int(headers["retry-after"]) for _, _, headers in answers} == {30}
    # Four at a time, one after the other, the last one would have waited fifteen seconds.
    assert max(seconds for _, seconds, _ in answers) < 6


def test_a_request_is_dated_when_it_is_whole() -> None:
    store = MemoryStore()
    body = json.dumps(EVENT).encode()
    with serving(store) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
        slow.sendall(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body[:10])
        time.sleep(0.5)
        rest = datetime.now(UTC)
        slow.sendall(body[10:])
        assert slow.recv(1000).startswith(b"HTTP/1.1 200 ")
    [entry] = [entry for batch in obstore.list(store) for entry in batch]
    assert json.loads(bytes(obstore.get(store, entry["path"]).bytes()))["received_at"] >= rest.isoformat()[:23]


def test_a_websocket_is_refused_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Any] = []

    async def ask() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        await app(MemoryStore())({"type": "websocket"}, None, send)  # type: ignore[arg-type]

    asyncio.run(ask())
    assert [message["type"] for message in sent] == ["websocket.close"]


# --- the command, on a disk that loses what is not synced ---


def _acknowledged(port: int, stop: Callable[[], None]) -> set[str]:
    """Send from eight threads until the gateway is stopped in the midst of it; what it has acknowledged."""
    done: set[str] = set()
    is_over = threading.Event()

    def sender(thread: int) -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            try:
                if post(port, props={"n": f"{thread}-{number}"})[0] == 200:
                    done.add(f"{thread}-{number}")
            except (OSError, ValueError):
                return

    threads = [threading.Thread(target=sender, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    while len(done) < 100 and any(thread.is_alive() for thread in threads):
        time.sleep(0.05)
    stop()
    time.sleep(0.3)
    is_over.set()
    for thread in threads:
        thread.join()
    return done


def _stored(home: Path) -> set[str]:
    """What is in the files, but for zeros: the last ones have their name when the power goes and not yet what is in them,
    and are not acknowledged."""
    files = (home / "raw" / "events").rglob("*.json")
    lines = [line for file in files for line in file.read_bytes().splitlines() if line.strip(b"\0")]
    return {json.loads(line)["props"]["n"] for line in lines}


def test_every_acknowledged_event_survives_a_power_cut(disk: Disk) -> None:
    home = disk.folder / "home"
    with gateway(home) as (port, _):
        acknowledged = _acknowledged(port, disk.cut_power)
    disk.start_again()
    assert len(acknowledged) >= 100
    assert acknowledged - _stored(home) == set()


def test_every_acknowledged_event_survives_a_kill_and_nothing_is_left_over(tmp_path: Path) -> None:
    with gateway(tmp_path) as (port, process):
        acknowledged = _acknowledged(port, lambda: os.kill(process.pid, signal.SIGKILL))
    assert len(acknowledged) >= 100
    assert acknowledged - _stored(tmp_path) == set()
    assert list((tmp_path / "raw").rglob("*#*")) == []
