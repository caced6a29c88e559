"""The headers that tell a browser what a page of ours may do, and who may use what we answer."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

#: An app's own word stands.
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_STARTS = ("http.response.start", "websocket.http.response.start")


def with_headers(send: Send, policy: str, *, is_open: bool) -> Send:
    """`send` with the headers added. A content security policy is added to the app's own: a browser keeps to both."""

    async def sending(message: Message) -> None:
        if message["type"] in _STARTS:
            headers = MutableHeaders(scope=message)
            for name, value in ALWAYS.items():
                headers.setdefault(name, value)
            headers.setdefault("cross-origin-resource-policy", "cross-origin" if is_open else "same-origin")
            headers.append("content-security-policy", policy)
        await send(message)

    return sending
