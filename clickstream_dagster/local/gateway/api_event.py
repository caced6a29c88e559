"""A request as API Gateway would hand it to the collector, and the collector's answer as a response.

Each request becomes an HTTP API event, payload format 2.0. So the collector runs here unchanged, and a browser on this machine
can send it real events.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from ingest_lambda.request import PATHS, SIGNED_IN_PATHS

#: The routes of the cloud's API. Every other request is `$default`; what it means is left to the collector.
ROUTES = frozenset(f"{method} {path}" for method in ("POST", "OPTIONS") for path in (*PATHS, *SIGNED_IN_PATHS))

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_TEXT_TYPE = re.compile(r"^(text/.+|application/(.+\+)?(json|xml)|application/javascript)$")


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
