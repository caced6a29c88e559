"""The words of the collector's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ingest_lambda.contract import WARNINGS
from ingest_lambda.request import ALLOW
from ingest_lambda.sorting import Sorted

Response = dict[str, Any]
#: A request of 500 odd events needs no answer that is longer than itself.
MAX_WARNINGS = 100


def reply(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """An answer as API Gateway wants it."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store", **(headers or {})},
        "body": msgspec.json.encode(body).decode(),
    }


def preflight(cors: Mapping[str, str]) -> Response:
    """The answer to a browser that asks before it sends."""
    allowed = {
        "access-control-allow-methods": ALLOW,
        "access-control-allow-headers": "authorization, content-encoding, content-type",
        "access-control-max-age": "86400",
    }
    return {"statusCode": 204, "headers": {**cors, **allowed}, "body": ""}


def verdict(found: Sorted) -> dict[str, Any]:
    """What became of each event of a request."""
    return {
        "accepted": len(found.accepted),
        "rejected": len(found.rejected),
        "warnings": [
            {"index": index, "code": one.code, "field": one.field, "message": WARNINGS.get(one.code, "")}
            for index, one in found.warnings[:MAX_WARNINGS]
        ],
        "errors": [{"index": one.index, "code": one.code, "message": one.message} for one in found.rejected],
    }


def errors(code: str, message: str) -> dict[str, Any]:
    """The same shape for a request of which nothing was stored."""
    return {"accepted": 0, "rejected": 0, "warnings": [], "errors": [{"code": code, "message": message}]}
