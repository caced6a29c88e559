"""Snowplow: enriched events as JSON, with the entities of its e-commerce schemas, and self-describing JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ingest_lambda.contract import Reject
from ingest_lambda.dialects.common import ORDER_EVENTS, Words
from ingest_lambda.dialects.tables import Table, event_name

NAME = "Snowplow"
VENDOR = "com_snowplowanalytics_snowplow_ecommerce_"
ACTION = f"unstruct_event_{VENDOR}snowplow_ecommerce_action_1"
PRODUCTS = f"contexts_{VENDOR}product_1"
#: The types of a snowplow_ecommerce_action, and the older events that are columns.
EVENTS = {
    "product_view": "view_product",
    "list_view": "view_item_list",
    "list_click": "select_item",
    "checkout_step": "checkout",
    "transaction": "purchase",
    "transaction_item": "purchase",
    "trns_error": "transaction_error",
    "site_search": "search",
    "page_ping": "page_ping",
}
FIELDS = {
    "event_id": "event_id",
    "domain_userid": "client_id",
    "network_userid": "client_id",
    "domain_sessionid": "session_id",
    "user_id": "user_id",
    "user.id": "user_id",
    "derived_tstamp": "event_timestamp",
    "true_tstamp": "event_timestamp",
    "dvce_created_tstamp": "event_timestamp",
    "dvce_sent_tstamp": "sent_at",
    "collector_tstamp": "received_at",
    "page_url": "page_url",
    "page_title": "page_title",
    "page_referrer": "referrer",
    "useragent": "user_agent",
    "br_lang": "device.language",
    "page.language": "device.language",
    "dvce_type": "device.type",
    "os_family": "device.os",
    "br_family": "device.browser",
    "geo_country": "geo.country",
    "geo_region": "geo.region",
    "geo_city": "geo.city",
    "v_tracker": "tracker_version",
    "mkt_source": "utm_source",
    "mkt_medium": "utm_medium",
    "mkt_campaign": "utm_campaign",
    "mkt_term": "utm_term",
    "mkt_content": "utm_content",
    "action.name": "list_name",
    "transaction.currency": "currency",
    "refund.currency": "currency",
    "tr_currency": "currency",
    "ti_currency": "currency",
    "cart.currency": "currency",
    "product_currency": "currency",
}
ITEMS = {"products": "items"}
ORDER = {
    "transaction.transaction_id": "order.id",
    "refund.transaction_id": "order.id",
    "tr_orderid": "order.id",
    "ti_orderid": "order.id",
    "refund.refund_amount": "order.value",
    "transaction.revenue": "order.value",
    "tr_total": "order.value",
    "transaction.tax": "order.tax",
    "tr_tax": "order.tax",
    "transaction.shipping": "order.shipping",
    "tr_shipping": "order.shipping",
    "transaction.discount_amount": "order.discount",
    "transaction.discount_code": "order.coupon",
    "products": "order.items",
    "ti_sku": "product.id",
    "ti_name": "product.name",
    "ti_category": "product.category",
    "ti_price": "product.price",
    "ti_quantity": "quantity",
}
#: What says who a person is, or where.
DROPPED = frozenset(
    (
        "user_ipaddress",
        "user_fingerprint",
        "ip_isp",
        "ip_organization",
        "geo_latitude",
        "geo_longitude",
        "geo_zipcode",
        "user.email",
    )
)
#: Entities that are one thing, by the name of their schema.
_ONE = {"snowplow_ecommerce_action": "action", "transaction": "transaction", "refund": "refund", "cart": "cart"}
_ONE |= {"page": "page", "user": "user", "checkout_step": "checkout_step"}
_COLUMN = re.compile(rf"(?:contexts|unstruct_event)_{VENDOR}([a-z_]+)_1\Z")
_SCHEMA = re.compile(r"iglu:com\.snowplowanalytics\.snowplow\.ecommerce/([a-z_]+)/")
_SHELLS = ("contexts", "unstruct_event", "data")
_DEPTH = 4


_TABLE = Table(NAME, {**FIELDS, **ITEMS}, DROPPED)
_ORDER_TABLE = Table(NAME, {**FIELDS, **ORDER}, DROPPED)


def read(record: Mapping[str, Any]) -> Words:
    """What one event says."""
    flat = _flat(record)
    action = flat.get("action")
    said = action.pop("type", None) if isinstance(action, dict) else None
    if said is None:
        said = flat.get("event_name") or flat.get("event")
    if said in (None, "unstruct"):
        raise Reject("missing_event_name", f"{NAME}: neither event_name nor an e-commerce action says what happened")
    for key in ("event", "event_name"):
        flat.pop(key, None)
    name = event_name(said, EVENTS, NAME)
    if "derived_tstamp" in flat and "dvce_sent_tstamp" in flat:
        # The pipeline has corrected the clock: the time of sending would correct it again.
        flat["times"] = {"dvce_sent_tstamp": flat.pop("dvce_sent_tstamp")}
    return (_ORDER_TABLE if name in ORDER_EVENTS else _TABLE).read(flat, name)


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """The event's columns, its products as a list, and every other e-commerce entity under its short name."""
    schema = record.get("schema")
    if isinstance(schema, str) and "/payload_data/" in schema:
        raise Reject("invalid_event", f"{NAME}: a tracker's own request is not read; send enriched events as JSON")
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
