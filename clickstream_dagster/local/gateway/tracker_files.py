"""The tracker's files beside the collector, for shops that load them from this gateway."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from clickstream_dagster.local.gateway.api_event import ASGIApp, Receive, Scope, Send, respond
from ingest_lambda.request import PATHS, SIGNED_IN_PATHS

TRACKER_PATHS = ("/clickstream.js", "/clickstream-vitals.js", "/clickstream.mjs")
#: What shops use of this gateway: where to send, and what to load.
OPEN_PATHS = frozenset((*PATHS, *SIGNED_IN_PATHS, *TRACKER_PATHS))
#: Kept by a browser, and never used again without a question; open to pages of any host.
HEADERS = {
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}


def with_tracker(collector: ASGIApp) -> ASGIApp:
    """The gateway with these files on it; all other requests are the collector's."""

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in TRACKER_PATHS:
            await respond(send, _answer(scope))
        else:
            await collector(scope, receive, send)

    return site


def _answer(scope: Scope) -> dict[str, Any]:
    """In the shape of API Gateway's. For HEAD the server leaves the body away, and its length stays."""
    if scope["method"] not in ("GET", "HEAD"):
        return {"statusCode": 405, "headers": {"allow": "GET, HEAD"}}
    text, etag = _script(scope["path"])
    known = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
    headers = {**HEADERS, "etag": etag}
    return (
        {"statusCode": 304, "headers": headers}
        if etag in known
        else {"statusCode": 200, "headers": headers, "body": text}
    )


@cache
def _script(path: str) -> tuple[str, str]:
    """A file, and its tag: the same for the same bytes."""
    text = (_folder() / path.lstrip("/")).read_text(encoding="utf-8")
    return text, f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


def _folder() -> Path:
    """Where the built tracker lies: beside this file in a checkout, else in the installed package."""
    checkout = Path(__file__).resolve().parents[3] / "tracker" / "dist"
    if checkout.is_dir():
        return checkout
    package = find_spec("clickstream_tracker")
    places = (package.submodule_search_locations if package else None) or []
    return next(Path(place) for place in places if Path(place).is_dir())
