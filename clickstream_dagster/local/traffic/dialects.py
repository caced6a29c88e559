"""The older trackers' words for an event. Some shops still send them, so the demo does too."""

from __future__ import annotations

from clickstream_dagster.local.traffic.browser import Event

_CAMEL = {
    "eventId": "event_id",
    "eventName": "event_name",
    "clientId": "client_id",
    "userId": "user_id",
    "sessionId": "session_id",
    "pageUrl": "page_url",
    "referrer": "referrer",
    "userLoginState": "user_login_state",
    "searchQuery": "search_query",
    "quantity": "quantity",
    "currency": "currency",
    "experiment": "experiment",
    "variant": "variant",
}
_CAMEL_PRODUCT = {
    "id": "id",
    "name": "name",
    "category": "category",
    "brand": "brand",
    "price": "price",
    "discountPrice": "discount_price",
}
_V1 = {
    "event_id": "event_id",
    "ts": "event_timestamp",
    "event_type": "event_name",
    "session_id": "session_id",
    "user_id": "user_id",
    "anonymous_id": "client_id",
    "page_url": "page_url",
    "referrer": "referrer",
    "geo": "geo",
    "experiment": "experiment",
    "variant": "variant",
}
_V1_ITEM = {"product_id": "product_id", "price": "price", "qty": "quantity"}


def camel(event: Event) -> Event:
    """The oldest dialect. It sends no time: an event happened when it was received."""
    old = _renamed(event, _CAMEL)
    if event.get("product"):
        old["product"] = _renamed(event["product"], _CAMEL_PRODUCT)
    if event.get("order"):
        order = event["order"]
        old["order"] = {**order, "items": [_camel_item(item) for item in order["items"]]}
    return old


def v1(event: Event) -> Event:
    """The dialect of the first proposal: `ecom` around product and order, `props` around the search."""
    old = _renamed(event, _V1)
    old["device"] = {"type": event["device"]["type"]}
    if old.get("event_type") in ("page_view", "view_product"):
        old["event_type"] = "view"
    if event.get("product"):
        old["ecom"] = _ecom_product(event)
    if event.get("order"):
        old["ecom"] = _ecom_order(event["order"])
    if "search_query" in event:
        old["props"] = {"search_query": event["search_query"]}
    return old


def _ecom_product(event: Event) -> Event:
    product = event["product"]
    return {
        "product_id": product["id"],
        "category": product["category"],
        "currency": event["currency"],
        "price": product.get("discount_price", product["price"]),
        "qty": event.get("quantity", 1),
    }


def _ecom_order(order: Event) -> Event:
    items = [_renamed(item, _V1_ITEM) for item in order["items"]]
    return {"order_id": order["id"], "value": order["value"], "currency": order["currency"], "items": items}


def _camel_item(item: Event) -> Event:
    return {"productId": item["product_id"], **{key: value for key, value in item.items() if key != "product_id"}}


def _renamed(record: Event, names: dict[str, str]) -> Event:
    return {new: record[old] for new, old in names.items() if old in record}
