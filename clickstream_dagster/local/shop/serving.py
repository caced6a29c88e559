"""The demo shop beside the collector: one answer for each path of `documents`; all other requests are the collector's."""

from __future__ import annotations

from typing import Any

from clickstream_dagster.local.gateway.api_event import ASGIApp, Receive, Scope, Send, respond
from clickstream_dagster.local.shop.documents import BASE, TRACKER_PATHS, Document, documents, not_found
from ingest_lambda.request import PATHS, SIGNED_IN_PATHS

#: A page may be kept, for the way back above all; but never shown again without a question to the server.
ALWAYS = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
#: What shops that are served elsewhere use of this gateway: where to send, and what to load.
OPEN_PATHS = frozenset((*PATHS, *SIGNED_IN_PATHS, *TRACKER_PATHS))


def with_shop(collector: ASGIApp) -> ASGIApp:
    """The gateway with the shop on it, and with the tracker's files for shops that are served elsewhere."""

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_shop(scope["path"]):
            await respond(send, _answer(scope))
        else:
            await collector(scope, receive, send)

    return site


def _is_shop(path: str) -> bool:
    return path == BASE or path.startswith(BASE + "/") or path in TRACKER_PATHS


def _answer(scope: Scope) -> dict[str, Any]:
    """In the shape of API Gateway's. For HEAD the server leaves the body away, and its length stays."""
    if scope["method"] not in ("GET", "HEAD"):
        return {"statusCode": 405, "headers": {**ALWAYS, "allow": "GET, HEAD"}}
    if scope["path"] == BASE:
        query = scope["query_string"].decode("latin-1")  # where a campaign is named
        return {"statusCode": 308, "headers": {**ALWAYS, "location": f"{BASE}/{'?' if query else ''}{query}"}}
    document = documents().get(scope["path"])
    if document is None:
        return _whole(404, not_found())
    known = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
    answer = _whole(200, document)
    answer["headers"]["etag"] = document.etag
    return {**answer, "statusCode": 304, "body": ""} if document.etag in known else answer


def _whole(status: int, document: Document) -> dict[str, Any]:
    headers = {**ALWAYS, **dict(document.headers), "content-type": document.kind}
    return {"statusCode": status, "headers": headers, "body": document.text}
