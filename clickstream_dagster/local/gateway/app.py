"""The gateway as an ASGI app: it reads a request, has it collected in a thread, and answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from obstore.store import ObjectStore

from clickstream_dagster.local.gateway.admission import Admission, Busy
from clickstream_dagster.local.gateway.api_event import ASGIApp, Receive, Scope, Send, respond, to_event
from clickstream_dagster.local.gateway.tokens import Tokens
from ingest_lambda.handler import collect
from ingest_lambda.openapi import openapi_text
from ingest_lambda.settings import MAX_BODY_BYTES, RETRY_AFTER_SECONDS

_log = logging.getLogger(__name__)
_BUSY = {
    "statusCode": 503,
    "headers": {"retry-after": str(RETRY_AFTER_SECONDS), "access-control-allow-origin": "*"},
    "body": json.dumps({"message": "The collector is busy and has stored nothing. Send the same events again."}),
}
_TOO_LARGE = {
    "statusCode": 413,
    "headers": {"access-control-allow-origin": "*"},
    "body": json.dumps({"message": f"A body may have {MAX_BODY_BYTES} bytes. Send fewer events at a time."}),
}


#: Made by the first who asks.
_description = cache(openapi_text)


class _TooLarge(Exception):
    """The body goes past the limit."""


class _Gone(Exception):
    """The sender left before its body was whole. Half a body is never collected: the sender will retry."""


def app(store: ObjectStore, tokens: Tokens | None = None) -> ASGIApp:
    """The gateway as an ASGI app that collects into `store`. `tokens` checks those of customers who are signed in; without it
    nobody is.

    What the collector raises is left to the server: it logs the reason and answers 500 without it.
    """
    admission = Admission()

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            await respond(send, await _answer(partial(_collect, store, tokens), admission, scope, receive))
        except _Gone:
            _log.info("the sender left before the end of its request")

    return gateway


def _collect(store: ObjectStore, tokens: Tokens | None, event: dict[str, Any], received_at: datetime) -> dict[str, Any]:
    """In a thread: the issuer of the tokens may have to be asked, too."""
    return collect(tokens.authorize(event) if tokens else event, store=store, received_at=received_at)


async def _answer(
    work: Callable[[dict[str, Any], datetime], dict[str, Any]], admission: Admission, scope: Scope, receive: Receive
) -> dict[str, Any]:
    if scope["path"] == "/openapi.json" and scope["method"] in ("GET", "HEAD"):
        return {"statusCode": 200, "headers": {"cache-control": "no-cache"}, "body": _description()}
    if scope["path"] == "/healthz":
        return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "ok"}
    try:
        async with admission.holding() as hold:
            body = await _read(scope, receive, hold)
            now = datetime.now(UTC)  # a request is received when it is whole
            event = to_event(scope, body, now)
            answer: dict[str, Any] = await admission.work(partial(work, event, now))
            return answer
    except _TooLarge:
        return _TOO_LARGE
    except Busy:
        return _BUSY


async def _read(scope: Scope, receive: Receive, hold: Any) -> bytes:
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
        part = message.get("body", b"")
        hold(len(part))
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise _TooLarge
        more = message.get("more_body", False)
    return bytes(body)
