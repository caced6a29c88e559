"""Segment and RudderStack: `track`, `page`, `screen` and `identify`, alone or in a `batch`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_lambda.contract import ORDER_EVENTS, Reject
from ingest_lambda.dialects.common import Words
from ingest_lambda.dialects.tables import Table, event_name

NAME = "Segment"
#: The names of their e-commerce spec, and of the one before it.
EVENTS = {
    "product_viewed": "view_product",
    "viewed_product": "view_product",
    "product_added": "add_to_cart",
    "added_product": "add_to_cart",
    "product_removed": "remove_from_cart",
    "removed_product": "remove_from_cart",
    "product_list_viewed": "view_item_list",
    "viewed_product_category": "view_item_list",
    "product_clicked": "select_item",
    "products_searched": "search",
    "cart_viewed": "view_cart",
    "checkout_started": "checkout",
    "order_completed": "purchase",
    "completed_order": "purchase",
    "order_refunded": "refund",
    "experiment_viewed": "experiment_viewed",
}
CALLS = {"page": "page_view", "screen": "screen_view", "identify": "login"}
NO_EVENTS = ("alias", "group")
SHELL = {
    "messageId": "event_id",
    "anonymousId": "client_id",
    "userId": "user_id",
    "timestamp": "event_timestamp",
    "originalTimestamp": "event_timestamp",
    "sentAt": "sent_at",
    "receivedAt": "received_at",
    "context.sessionId": "session_id",
    "context.page.url": "page_url",
    "context.page.title": "page_title",
    "context.page.referrer": "referrer",
    "context.userAgent": "user_agent",
    "context.locale": "device.language",
    "context.device.type": "device.type",
    "context.os.name": "device.os",
    "context.location.country": "geo.country",
    "context.location.region": "geo.region",
    "context.location.city": "geo.city",
    "context.campaign.source": "utm_source",
    "context.campaign.medium": "utm_medium",
    "context.campaign.name": "utm_campaign",
    "context.campaign.term": "utm_term",
    "context.campaign.content": "utm_content",
    "properties.currency": "currency",
    "name": "page_title",
}
PAGE = {"url": "page_url", "title": "page_title", "referrer": "referrer"}
SCREEN = {"name": "page_title"}
LIST = {"products": "items", "list": "list_name", "query": "search_query"}
PRODUCT = {
    "product_id": "product.id",
    "sku": "product.id",
    "name": "product.name",
    "category": "product.category",
    "brand": "product.brand",
    "price": "product.price",
    "url": "product.url_path",
    "quantity": "quantity",
}
#: What was paid in the end comes before what the shop earned.
ORDER = {
    "order_id": "order.id",
    "total": "order.value",
    "revenue": "order.value",
    "value": "order.value",
    "tax": "order.tax",
    "shipping": "order.shipping",
    "discount": "order.discount",
    "coupon": "order.coupon",
    "products": "order.items",
}
#: What says who a person is or where their device is, and the sender's key.
DROPPED = frozenset(
    (
        "traits",
        "context.traits",
        "context.ip",
        "context.device.id",
        "context.device.advertisingId",
        "context.device.token",
        "context.device.name",
        "context.location.latitude",
        "context.location.longitude",
        "writeKey",
    )
)


def _table(own: dict[str, str]) -> Table:
    fields = {f"properties.{key}": path for key, path in own.items()}
    return Table(NAME, {**fields, **SHELL}, DROPPED, frozenset(("properties",)))


_PAGE, _SCREEN, _LIST, _ORDER = _table(PAGE), _table(SCREEN), _table(LIST), _table(ORDER)
_PRODUCT = _table({**LIST, **PRODUCT})


def read(record: Mapping[str, Any]) -> Words:
    """What one call says."""
    call = record.get("type", "track")
    if call in NO_EVENTS:
        raise Reject(
            "invalid_event", f"{NAME}: alias and group calls are not events; send track, page, screen or identify"
        )
    if call == "identify" and not record.get("userId"):
        raise Reject("invalid_event", f"{NAME}: an identify call without userId tells nothing that is kept")
    name = CALLS.get(call) or event_name(record.get("event"), EVENTS, NAME)
    own = {"type"} if call in CALLS else {"type", "event"}
    rest = _one_clock({key: value for key, value in record.items() if key not in own})
    return _table_of(call, name).read(rest, name)


def envelope(record: Mapping[str, Any]) -> Words:
    """What a batch says beside its calls, for all of them."""
    return _LIST.read(record, None)


def _table_of(call: str, name: str) -> Table:
    if call in CALLS:
        return _PAGE if call == "page" else _SCREEN if call == "screen" else _LIST
    if name in ORDER_EVENTS:
        return _ORDER
    # The `name` of a promotion or a category of a list are no product's.
    is_of_a_product = name in ("view_product", "add_to_cart", "remove_from_cart", "select_item") or "product" in name
    return _PRODUCT if is_of_a_product else _LIST


def _one_clock(record: dict[str, Any]) -> dict[str, Any]:
    """Once their servers have received a call, `timestamp` is corrected: the time of sending would correct it again."""
    if "receivedAt" in record and "timestamp" in record and "sentAt" in record:
        context = {"sentAt": record.pop("sentAt"), "originalTimestamp": record.pop("originalTimestamp", None)}
        record["times"] = {key: value for key, value in context.items() if value is not None}
    return record
