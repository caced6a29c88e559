"""Snowplow: enriched events as JSON, with the entities of its e-commerce schemas, and self-describing JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_lambda.contract import ORDER_EVENTS, Reject
from ingest_lambda.dialects.common import Words
from ingest_lambda.dialects.self_describing import flat_event
from ingest_lambda.dialects.tables import Table, event_name

NAME = "Snowplow"
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

_TABLE = Table(NAME, {**FIELDS, **ITEMS}, DROPPED)
_ORDER_TABLE = Table(NAME, {**FIELDS, **ORDER}, DROPPED)


def read(record: Mapping[str, Any]) -> Words:
    """What one event says."""
    flat = flat_event(record)
    action = flat.get("action")
    said = action.pop("type", None) if isinstance(action, dict) else None
    if said is None:
        # A structured event's own name is that of its action.
        said = flat.pop("se_action", None) if flat.get("event") == "struct" else None
        said = said or flat.get("event_name") or flat.get("event")
    if said in (None, "unstruct"):
        raise Reject("missing_event_name", f"{NAME}: neither event_name nor an e-commerce action says what happened")
    for key in ("event", "event_name"):
        flat.pop(key, None)
    name = event_name(said, EVENTS, NAME)
    if "derived_tstamp" in flat and "dvce_sent_tstamp" in flat:
        # The pipeline has corrected the clock: the time of sending would correct it again.
        flat["times"] = {"dvce_sent_tstamp": flat.pop("dvce_sent_tstamp")}
    return (_ORDER_TABLE if name in ORDER_EVENTS else _TABLE).read(flat, name)
