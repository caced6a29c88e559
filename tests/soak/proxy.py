"""A proxy that breaks what passes through it: between browsers and the collector, and between ours and the store.

Each request has a connection of its own to the server behind, so that a fault breaks one request and no other.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress

#: Longer than anybody waits: the collector gives a store three seconds, the senders give the collector less than this.
HANG_SECONDS = 12
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CONNECTION = re.compile(rb"\r\n(connection|expect):[^\r]*", re.IGNORECASE)
#: What a store says when it has no room (MinIO's words), wants less, or has failed.
_ANSWERS = {
    "full": b"507 Insufficient Storage",
    "slow down": b"503 Slow Down",
    "failing": b"500 Internal Server Error",
}


class Proxy:
    """Serves on a port of its own, in a thread. `faults` says which are on, and which share of the requests each breaks."""

    def __init__(self, name: str, behind: int, seed: int) -> None:
        self.name, self.behind = name, behind
        self.faults: dict[str, float] = {}
        self.broken: Counter[str] = Counter()
        self.passed = 0
        self._chance = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, name=f"proxy {name}", daemon=True).start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, sock=self._listener, limit=2**20)
        await server.serve_forever()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._connection(reader, writer))
        self._tasks.add(task)  # asyncio itself forgets the task of a connection that is cut
        task.add_done_callback(self._tasks.discard)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            await self._answer(head, body, writer)
        with suppress(OSError):
            writer.close()

    async def _answer(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        fault = self._fault(head)
        if fault in _ANSWERS:
            writer.write(b"HTTP/1.1 " + _ANSWERS[fault] + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return await writer.drain()
        if fault in ("slow", "held"):
            await asyncio.sleep(self._chance.uniform(0.2, 2))
        elif fault == "hanging":
            return await asyncio.sleep(HANG_SECONDS)
        elif fault == "refusing":
            return _reset(writer)
        elif fault == "request cut":
            return await self._send_half(head, body)
        elif fault == "repeated":
            await self._pass_on(head, body)
        answer = await self._pass_on(head, body)
        if fault == "answer lost":
            return _reset(writer)
        writer.write(answer[: len(answer) * 2 // 3] if fault == "answer cut" else answer)
        await writer.drain()
        if fault in ("answer cut", "cut after"):
            _reset(writer)
        return None

    def _fault(self, head: bytes) -> str:
        """The fault of this request; empty for most."""
        for fault, share in list(self.faults.items()):
            if (fault != "full" or head.startswith(b"PUT")) and self._chance.random() < share:
                self.broken[fault] += 1
                return fault
        self.passed += 1
        return ""

    async def _pass_on(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.behind)
        try:
            writer.write(_CONNECTION.sub(b"", head[:-2]) + b"connection: close\r\n\r\n" + body)
            return await reader.read(-1)
        finally:
            writer.close()

    async def _send_half(self, head: bytes, body: bytes) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.behind)
        writer.write(head + body[: len(body) // 2])
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End the connection as a router does that has lost it."""
    if connection := writer.get_extra_info("socket"):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
