"""Bodies posted to the collector, and the tables brought up to them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda.handler import collect

NOW = datetime(2026, 3, 14, 15, 9, tzinfo=UTC)


def post(stack: Stack, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
    """Send each body, a minute apart, load their hour, rebuild; the collector's replies."""
    replies = []
    for minute, body in enumerate(bodies):
        request = {
            "rawPath": "/clickstream",
            "requestContext": {"http": {"method": "POST", "path": "/clickstream"}},
            "body": json.dumps(body),
        }
        moment = NOW + timedelta(minutes=minute)
        response = collect(request, store=stack.store, received_at=moment, salt="pepper")
        replies.append({"status": response["statusCode"], **json.loads(response["body"])})
    start = NOW.replace(minute=0)
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, start, start + HOUR)
        rebuild_all(connection)
    return replies
