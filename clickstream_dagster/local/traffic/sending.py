"""Send generated requests to the real collector, as the gateway would, and keep the count."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from obstore.store import ObjectStore

from clickstream_dagster.local.gateway.api_event import to_event
from clickstream_dagster.local.traffic.request import Request
from clickstream_dagster.local.traffic.truth import Sent
from ingest_lambda.folder import in_bulk
from ingest_lambda.handler import collect


def send(requests: Iterable[Request], store: ObjectStore) -> Sent:
    """Collect every request at its own time of receipt. Returns what was sent and how it was answered."""
    sent = Sent()
    with in_bulk(store):
        for request in requests:
            answer = collect(_api_event(request), store=store, received_at=request.received_at)
            sent.count(request.truth)
            _count_answer(sent, answer)
    return sent


def _api_event(request: Request) -> dict[str, Any]:
    scope = {
        "method": "POST",
        "path": request.path,
        "query_string": b"",
        "http_version": "2",
        "client": ("192.0.2.1", 0),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()],
    }
    return to_event(scope, request.body, request.received_at)


def _count_answer(sent: Sent, answer: dict[str, Any]) -> None:
    status = int(answer["statusCode"])
    sent.statuses[status] = sent.statuses.get(status, 0) + 1
    reply = json.loads(answer["body"])
    sent.accepted += reply["accepted"]
    sent.rejected += reply["rejected"]
    for error in reply["errors"]:
        sent.rejected_by_code[error["code"]] = sent.rejected_by_code.get(error["code"], 0) + 1
