"""The HTTP gateway of the laptop: what API Gateway is to the collector in the cloud, as one small ASGI app.

Each request becomes an HTTP API event, payload format 2.0, and the collector's answer becomes the response. So the
collector runs here unchanged, and a browser on this machine can send it real events.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import json
import logging
import re
import socket
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from obstore.store import ObjectStore

from ingest_lambda.handler import collect

HOST = "127.0.0.1"
PORT = 8787
#: The hard limit of API Gateway for one request; the collector's own limits are lower.
MAX_BODY_BYTES = 10 * 1024 * 1024
#: The routes of the cloud's API. Every other request is `$default`; what it means is left to the collector.
ROUTES = frozenset({"POST /clickstream", "POST /v1/events", "OPTIONS /clickstream", "OPTIONS /v1/events"})

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_TEXT_TYPE = re.compile(r"^(text/.+|application/(.+\+)?(json|xml)|application/javascript)$")
_log = logging.getLogger(__name__)


class PortInUse(RuntimeError):
    """The port already has a server. The message says what to do next."""


class _TooLarge(Exception):
    """The body goes past the limit."""


class _Gone(Exception):
    """The sender left before its body was whole. Half a body is never collected: the sender will retry."""


def app(store: ObjectStore) -> ASGIApp:
    """The gateway as an ASGI app that collects into `store`.

    What the collector raises is left to the server: it logs the reason and answers 500 without it.
    """

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"the gateway speaks HTTP only, not {scope['type']}")
        try:
            await respond(send, await _answer(store, scope, receive))
        except _Gone:
            _log.info("the sender left before the end of its request")

    return gateway


def serve(served: ASGIApp, host: str = HOST, port: int = PORT) -> None:
    """Serve until interrupted (Ctrl-C, SIGTERM). Raises `PortInUse` before anything is served."""
    config = uvicorn.Config(served, lifespan="off", log_level="warning", access_log=False, server_header=False)
    # uvicorn stops cleanly and then raises the interrupt once more for its caller; nothing is left to interrupt here.
    with listen(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def listen(host: str = HOST, port: int = PORT) -> socket.socket:
    """A listening socket. uvicorn would log a taken port and exit; here the caller gets an error that it can show."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortInUse(
            f"Port {port} on {host} is already in use. Stop the server that has it, or choose another port."
        ) from error


async def _answer(store: ObjectStore, scope: Scope, receive: Receive) -> dict[str, Any]:
    if scope["path"] == "/healthz":
        return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "ok"}
    now = datetime.now(UTC)
    try:
        event = to_event(scope, await _read(scope, receive), now)
        return await asyncio.to_thread(collect, event, store=store, received_at=now)
    except _TooLarge:
        return {"statusCode": 413, "body": json.dumps({"message": "Request Entity Too Large"})}


async def _read(scope: Scope, receive: Receive) -> bytes:
    """The body. A larger one is refused by its declared length, or as soon as it goes past the limit."""
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise _TooLarge
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _TooLarge
        more = message.get("more_body", False)
    return bytes(body)


def to_event(scope: Scope, body: bytes, now: datetime) -> dict[str, Any]:
    """The HTTP API event (payload format 2.0) of one request."""
    headers = _headers(scope["headers"])
    cookies = [cookie.strip() for cookie in headers.pop("cookie", "").split(";") if cookie.strip()]
    method, path = scope["method"], scope["path"]
    query = scope["query_string"].decode("latin-1")
    route = f"{method} {path}" if f"{method} {path}" in ROUTES else "$default"
    text = _text(headers, body)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": _context(scope, headers, route, now),
        "isBase64Encoded": text is None,
    }
    if body:
        event["body"] = base64.b64encode(body).decode("ascii") if text is None else text
    else:
        event["isBase64Encoded"] = False
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    return event


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in lower case. Duplicates are joined by a comma, but cookies by what separates them."""
    decoded = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in pairs]
    headers = _joined(decoded)
    if "cookie" in headers:
        headers["cookie"] = "; ".join(value for name, value in decoded if name == "cookie")
    return headers


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _text(headers: dict[str, str], body: bytes) -> str | None:
    """The body as text, or None where API Gateway would send it as base64."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if headers.get("content-encoding", "identity").lower() != "identity" or not _TEXT_TYPE.match(media_type):
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _context(scope: Scope, headers: dict[str, str], route: str, now: datetime) -> dict[str, Any]:
    source_ip = scope["client"][0] if scope.get("client") else ""
    return {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": headers.get("host", ""),
        "requestId": str(uuid.uuid4()),
        "routeKey": route,
        "stage": "$default",
        "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now.timestamp() * 1000),
        "http": {
            "method": scope["method"],
            "path": scope["path"],
            "protocol": f"HTTP/{scope['http_version']}",
            "sourceIp": source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
    }


async def respond(send: Send, answer: dict[str, Any]) -> None:
    """Send an answer in the shape of API Gateway's."""
    status = int(answer["statusCode"])
    body = answer.get("body") or ""
    payload = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode("utf-8")
    headers = {"content-type": "application/json"} if payload else {}
    headers |= {name.lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
    if status not in (204, 304):
        headers["content-length"] = str(len(payload))
    pairs = [*headers.items(), *(("set-cookie", cookie) for cookie in answer.get("cookies") or ())]
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": payload})
