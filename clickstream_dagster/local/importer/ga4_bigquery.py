"""Google Analytics 4's export to BigQuery, as lines of JSON: `bq extract --destination_format NEWLINE_DELIMITED_JSON`.

A row is an event, with its parameters as a list of keys and values. Put together, they are the event as a server sends it by
the Measurement Protocol, and are read as that.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ingest_lambda.contract import Reject
from ingest_lambda.fields import MAX_DECIMALS
from ingest_lambda.reading import parse

NAME = "ga4-bigquery"
#: Of an item. Its other columns are of Google's own, and most of them empty.
_LINE = ("item_id", "item_name", "item_brand", "item_category", "price", "quantity")
#: Columns of a row that say what a parameter may say too.
_COLLECTED = {
    "manual_source": "source",
    "manual_medium": "medium",
    "manual_campaign_name": "campaign",
    "manual_term": "term",
    "manual_content": "content",
}
_ECOMMERCE = {"transaction_id": "transaction_id", "tax_value": "tax", "shipping_value": "shipping"}
_REVENUE = {"purchase": "purchase_revenue", "refund": "refund_value"}
_MONEY = ("value", "tax", "shipping", "discount")
_KINDS = ("string_value", "int_value", "double_value", "float_value")
_NOTHING = (None, "", "(not set)")


def record(line: bytes) -> dict[str, Any]:
    """The event of a row, in the words of the Measurement Protocol. Raises `Reject`."""
    row = parse(line)
    if not isinstance(row, Mapping) or "event_name" not in row:
        raise Reject("missing_event_name", "GA4: the row has no event_name; export the tables events_…, one row a line")
    geo, device = _part(row, "geo"), _part(row, "device")
    said = {
        "name": row["event_name"],
        "timestamp_micros": row.get("event_timestamp"),
        "client_id": row.get("user_pseudo_id"),
        "user_id": row.get("user_id"),
        "device": {
            **{name: device.get(name) for name in ("category", "operating_system", "language")},
            "browser": _part(device, "web_info").get("browser") or device.get("browser"),
        },
        "user_location": {"region_id": geo.get("region"), "city": geo.get("city")},
        "country": geo.get("country"),
        "user_properties": _pairs(row, "user_properties"),
    }
    return {**_without_nothing(said), "params": _without_nothing(_params(row))}


def _params(row: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an event, with what its other columns say better or besides."""
    params = _pairs(row, "event_params")
    collected, shop, items = _part(row, "collected_traffic_source"), _part(row, "ecommerce"), _listed(row, "items")
    for column, value in collected.items():
        params.setdefault(_COLLECTED.get(column, column), value)
    for name in _COLLECTED.values():  # Google's word for a visit without a campaign stands in brackets
        if str(params.get(name)).startswith("("):
            del params[name]
    for column, name in _ECOMMERCE.items():
        if shop.get(column) not in _NOTHING:
            params[name] = shop[column]
    revenue = shop.get(_REVENUE.get(str(row["event_name"]), ""))
    if revenue is not None:
        params["value"] = revenue
    if row["event_name"] == "refund" and not params.get("value"):
        params.pop("value", None)  # it is of what the items say, or of all
    if items:
        params.setdefault("item_list_name", items[0].get("item_list_name"))
    return {**params, **{name: _amount(params[name]) for name in _MONEY if name in params}, "items": _lines(items)}


def _lines(items: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        _without_nothing({**{name: one.get(name) for name in _LINE}, "price": _amount(one.get("price"))})
        for one in items
    ]


def _pairs(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {str(one.get("key")): _value(one.get("value")) for one in _listed(row, name)}


def _amount(value: Any) -> Any:
    """BigQuery holds money in doubles: digits behind the sixth decimal are their noise."""
    if not isinstance(value, Decimal) or value.as_tuple().exponent >= -MAX_DECIMALS:  # type: ignore[operator]
        return value
    return f"{value:.{MAX_DECIMALS}f}"


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
