"""What a connection may cost: uvicorn's own protocol, with a bound on its head and on the time it takes.

uvicorn bounds the time between requests, and nothing within one; a sender could hold a connection, and whatever it has sent so
far, for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Request line and headers. API Gateway takes 10 kB.
MAX_HEAD_BYTES = 32_768
#: Seconds from the first byte of a head to its end, and from there to the end of the body.
HEAD_SECONDS = 10
BODY_SECONDS = 30
#: With more of them, those go that have waited longest for a head.
MAX_CONNECTIONS = 2000


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    #: Connections whose head is not whole, the oldest first.
    waiting: ClassVar[dict[BoundedProtocol, None]] = {}
    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()
        while len(self.connections) > MAX_CONNECTIONS and self.waiting:
            next(iter(self.waiting)).transport.abort()
            del self.waiting[next(iter(self.waiting))]

    def connection_lost(self, exc: Exception | None) -> None:
        self._set_timer(None)
        self.waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self in self.waiting:
            self._head_bytes += len(data)
        super().data_received(data)
        if self in self.waiting and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self not in self.waiting:  # not the first request of this connection
            self._expect_head()

    def on_headers_complete(self) -> None:
        self.waiting.pop(self, None)
        self._head_bytes = 0
        self._set_timer(BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._set_timer(None)
        super().on_message_complete()

    def _expect_head(self) -> None:
        self.waiting[self] = None
        self._set_timer(HEAD_SECONDS)

    def _set_timer(self, seconds: int | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._refuse, b"408 Request Timeout") if seconds else None

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()

    def handle_websocket_upgrade(self) -> Any:
        self._set_timer(None)
        return super().handle_websocket_upgrade()
