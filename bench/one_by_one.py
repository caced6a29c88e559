"""The plain way to load single-event objects, as many a first pipeline does it: each object by its own request through boto3,
one after the other, `json.loads`, and an INSERT of 200 rows at a time that leaves known event ids alone."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from psycopg2.extras import Json, execute_values

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

ROWS = 200
_PLAIN = (
    *("event_id", "event_name", "event_timestamp", "received_at", "sent_at", "client_timestamp", "time_source"),
    *("client_id", "session_id", "user_id", "user_login_state", "identity_source", "is_first_visit", "page_url"),
    *(
        "page_title",
        "referrer",
        "quantity",
        "currency",
        "search_query",
        "consent",
        "is_gpc",
        "user_agent",
        "tracker_version",
    ),
)
_PRODUCT = ("id", "name", "category", "brand", "price", "discount_price", "url_path")
_COLUMNS = (
    *_PLAIN,
    *(f"product_{name}" for name in _PRODUCT),
    *(
        "visitor_id",
        "page_host",
        "page_path",
        "device",
        "country",
        "region",
        "city",
        "order_id",
        "order_value",
        "order_items",
    ),
    *("props", "is_automated", "partition_hour", "object_key", "line_number", "payload_hash"),
)


def load_one_by_one(stack: Stack, endpoint: str, bucket: str, hour: datetime) -> float:
    """Seconds in which it loads the objects of an hour."""
    names = ", ".join(_COLUMNS)
    insert = f"insert into like_events ({names}) values %s on conflict do nothing"
    s3 = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
    )
    with stack.warehouse() as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("create table like_events (like clickstream_events including all)")
        started = time.perf_counter()
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"events/{hour:%Y/%m/%d/%H}/")
        keys = (found["Key"] for page in pages for found in page.get("Contents", []))
        held: list[tuple[Any, ...]] = []
        for key in keys:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            try:
                held.append(_row(json.loads(body), key, hour))
            except (ValueError, KeyError):
                continue  # it has no books of what it leaves out
            if len(held) == ROWS:
                _insert(connection, insert, held)
        if held:
            _insert(connection, insert, held)
        return time.perf_counter() - started


def _insert(connection: Any, insert: str, held: list[tuple[Any, ...]]) -> None:
    with connection, connection.cursor() as cursor:
        execute_values(cursor, insert, held, page_size=ROWS)
    held.clear()


def _row(event: dict[str, Any], key: str, hour: datetime) -> tuple[Any, ...]:
    page, product, order = urlsplit(event["page_url"]), event.get("product", {}), event.get("order", {})
    geo = event.get("geo", {})
    return (
        event["event_id"],
        *(event.get(name) for name in _PLAIN[1:6]),
        event.get("time_source", "client"),
        *(event.get(name) for name in _PLAIN[7:]),
        *(product.get(name) for name in _PRODUCT),
        *(event["client_id"], page.hostname, page.path, Json(event.get("device"))),
        *(geo.get("country"), geo.get("region"), geo.get("city")),
        *(order.get("id"), order.get("value"), Json(order.get("items")), Json(event.get("props"))),
        *("bot" in event["user_agent"].lower(), hour, key, 1, event["event_id"]),
    )
