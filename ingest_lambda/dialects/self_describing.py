"""Snowplow's self-describing JSON: `{schema, data}`, within one another, in lists, or flattened into columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ingest_lambda.contract import Reject

VENDOR = "com_snowplowanalytics_snowplow_ecommerce_"
ACTION = f"unstruct_event_{VENDOR}snowplow_ecommerce_action_1"
PRODUCTS = f"contexts_{VENDOR}product_1"
#: Entities that are one thing, by the name of their schema.
_ONE = {"snowplow_ecommerce_action": "action", "transaction": "transaction", "refund": "refund", "cart": "cart"}
_ONE |= {"page": "page", "user": "user", "checkout_step": "checkout_step"}
_COLUMN = re.compile(rf"(?:contexts|unstruct_event)_{VENDOR}([a-z_]+)_1\Z")
_SCHEMA = re.compile(r"iglu:com\.snowplowanalytics\.snowplow\.ecommerce/([a-z_]+)/")
_SHELLS = ("contexts", "unstruct_event", "data")
_DEPTH = 4


def flat_event(record: Mapping[str, Any]) -> dict[str, Any]:
    """The event's columns, its products as a list, and every other e-commerce entity under its short name."""
    schema = record.get("schema")
    if isinstance(schema, str) and "/payload_data/" in schema:
        raise Reject("invalid_event", "Snowplow: a tracker's own request is not read; send enriched events as JSON")
    flat: dict[str, Any] = {}
    products: list[Any] = []
    for name, value, key in _parts(record):
        if name == "product":
            products += value if isinstance(value, list) else [value]
        elif name in _ONE and _ONE[name] not in flat:
            one = value[0] if isinstance(value, list) and len(value) == 1 else value
            flat[_ONE[name]] = dict(one) if isinstance(one, Mapping) else one
        else:
            flat[key if key not in flat else key + "_"] = value
    if products:
        flat["products"] = products
        first = products[0]
        if isinstance(first, Mapping) and "currency" in first:
            flat.setdefault("product_currency", first["currency"])
    return flat


def _parts(record: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Name of an e-commerce schema (or none), what it holds, and the key that it stood under."""
    if isinstance(record.get("schema"), str) and "data" in record:
        yield from _described(record, "data", 0)
    for key, value in record.items():
        if found := _COLUMN.match(key):
            yield found[1], value, key
        elif key in _SHELLS[:2]:
            yield from _described(value, key, 0)
        elif key not in ("schema", "data") or not isinstance(record.get("schema"), str) or "data" not in record:
            yield "", value, key


def _described(given: Any, key: str, depth: int) -> Iterator[tuple[str, Any, str]]:
    """Self-describing JSON, `{schema, data}`, which may wrap one another, or a list of them."""
    if isinstance(given, list) and depth < _DEPTH:
        for one in given:
            yield from _described(one, key, depth + 1)
        return
    if not isinstance(given, Mapping) or not isinstance(given.get("schema"), str) or "data" not in given:
        yield "", given, key
    elif found := _SCHEMA.match(given["schema"]):
        yield found[1], given["data"], key
    elif depth < _DEPTH and ("/contexts/" in given["schema"] or "/unstruct_event/" in given["schema"]):
        yield from _described(given["data"], key, depth + 1)
    else:
        yield "", given, key
