"""Tabs that are gone, and tabs that are too many.

Shiny hears that a tab has gone when it looks for its next message, which is after all that it still has to calculate for it.
Here each connection is read ahead: a tab that goes is closed at once, and what waits for it is not begun.
"""

from __future__ import annotations

import asyncio
from typing import Any

from shiny import Session
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Open tabs of one process. Each keeps a megabyte or two; what is beyond is told so.
MOST_TABS = 100
#: Messages of one tab that wait to be looked at. A browser sends a few for each click.
_MOST_WAITING = 200
_GONE = "clickstream.gone"
_TOO_MANY = (
    f"This dashboard has {MOST_TABS} tabs open, which is as many as one process serves. "
    "Close one, or try again in a minute.\n"
)


class Hangups:
    """Middleware round the dashboard: knows at once when a tab goes, and refuses those that are too many."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._tab(scope, receive, send)
        elif self._open >= MOST_TABS and scope["path"].endswith("/"):
            await PlainTextResponse(_TOO_MANY, 503, {"Retry-After": "60"})(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _tab(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._open >= MOST_TABS:
            await receive()
            await send({"type": "websocket.close", "code": 1013})
            return
        self._open += 1
        waiting: asyncio.Queue[Message] = asyncio.Queue(_MOST_WAITING)
        gone = scope[_GONE] = asyncio.Event()
        reading = asyncio.create_task(_read(receive, waiting, gone))
        try:
            await self._app(scope, waiting.get, send)
        finally:
            self._open -= 1
            reading.cancel()


async def _read(receive: Receive, waiting: asyncio.Queue[Message], gone: asyncio.Event) -> None:
    while not gone.is_set():
        message = await receive()
        if message["type"] == "websocket.disconnect":
            gone.set()
        await waiting.put(message)


def has_gone(session: Session) -> bool:
    """Whether the tab of a session went before its turn came."""
    return bool(_event(session).is_set())


def close_when_gone(session: Session) -> None:
    """End a session when its tab goes, not when all that is pending for it is done."""

    async def close() -> None:
        await _event(session).wait()
        await session.close()

    def stop() -> None:
        if asyncio.current_task() is not closing:
            closing.cancel()

    closing = asyncio.create_task(close())
    session.on_ended(stop)


def _event(session: Session) -> Any:
    return session.root_scope().http_conn.scope[_GONE]  # type: ignore[attr-defined]
