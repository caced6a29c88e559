"""Google Analytics 4's export to BigQuery, as lines of JSON: `bq extract --destination_format NEWLINE_DELIMITED_JSON`.

A row is an event, with its parameters as a list of keys and values.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ingest_lambda.contract import ORDER_EVENTS, Reject
from ingest_lambda.fields import MAX_DECIMALS
from ingest_lambda.reading import parse

NAME = "ga4-bigquery"
_EVENTS = {"view_item": "view_product", "begin_checkout": "checkout", "view_search_results": "search"}
_PARAMS = {
    "page_location": "page_url",
    "page_title": "page_title",
    "page_referrer": "referrer",
    "search_term": "search_query",
    "ga_session_id": "session_id",
    "currency": "currency",
}
_LINE = {
    "product_id": "item_id",
    "name": "item_name",
    "brand": "item_brand",
    "category": "item_category",
    "price": "price",
    "quantity": "quantity",
}
_KINDS = ("string_value", "int_value", "double_value", "float_value")
_NOTHING = (None, "", "(not set)")


def record(line: bytes) -> dict[str, Any]:
    """The event of a row. Raises `Reject`."""
    row = parse(line)
    if not isinstance(row, Mapping) or "event_name" not in row:
        raise Reject("missing_event_name", "GA4: the row has no event_name; export the tables events_…, one row a line")
    params = {str(one.get("key")): _value(one.get("value")) for one in _listed(row, "event_params")}
    name = str(row["event_name"])
    name = _EVENTS.get(name, name)
    said = {field: params.pop(param) for param, field in _PARAMS.items() if param in params}
    return _without_nothing(
        {
            "event_name": name,
            "event_timestamp": row.get("event_timestamp"),
            "client_id": row.get("user_pseudo_id"),
            "user_id": row.get("user_id"),
            "device": _device(_part(row, "device")),
            "geo": {name: _part(row, "geo").get(name) for name in ("region", "city")},
            **said,
            **_bought(name, row, params),
            "props": {**params, "country": _part(row, "geo").get("country")},
        }
    )


def _bought(name: str, row: Mapping[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """What an event is about: an order, a product, or several of them."""
    lines = [_line(item) for item in _listed(row, "items")]
    shop = _part(row, "ecommerce")
    if name in ORDER_EVENTS:
        paid = params.pop("value", None)
        revenue = shop.get("refund_value" if name == "refund" else "purchase_revenue")
        number = params.pop("transaction_id", None)
        order = {
            "id": shop.get("transaction_id"),
            "value": _amount(paid if revenue is None else revenue),
            "items": lines,
        }
        return {"order": order if order["id"] not in _NOTHING else {**order, "id": number}}
    if len(lines) != 1:
        return {"items": lines}
    [only] = lines
    quantity = only.pop("quantity", None)
    return {
        "product": {"id" if key == "product_id" else key: value for key, value in only.items()},
        "quantity": quantity,
    }


def _line(item: Mapping[str, Any]) -> dict[str, Any]:
    found = {field: item.get(key) for field, key in _LINE.items()}
    return _without_nothing({**found, "price": _amount(found["price"])})


def _amount(value: Any) -> Any:
    """BigQuery holds money in doubles: digits behind the sixth decimal are their noise."""
    if not isinstance(value, Decimal) or value.as_tuple().exponent >= -MAX_DECIMALS:  # type: ignore[operator]
        return value
    return f"{value:.{MAX_DECIMALS}f}"


def _device(device: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": device.get("category"),
        "os": device.get("operating_system"),
        "browser": _part(device, "web_info").get("browser") or device.get("browser"),
        "language": device.get("language"),
    }


def _value(held: Any) -> Any:
    return (
        next((held[kind] for kind in _KINDS if held.get(kind) is not None), None) if isinstance(held, Mapping) else None
    )


def _part(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = row.get(name)
    return part if isinstance(part, Mapping) else {}


def _listed(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    listed = row.get(name)
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _without_nothing(record: dict[str, Any]) -> dict[str, Any]:
    kept = {key: _without_nothing(value) if isinstance(value, dict) else value for key, value in record.items()}
    return {key: value for key, value in kept.items() if value not in (*_NOTHING, {}, [])}
