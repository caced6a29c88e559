"""Google Analytics 4: what a page pushes into `dataLayer`, `gtag("event", …)`, and Universal Analytics' `ecommerce`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_lambda.contract import ORDER_EVENTS, Reject
from ingest_lambda.dialects.common import Words
from ingest_lambda.dialects.tables import Table, event_name
from ingest_lambda.fields import FIELDS
from ingest_lambda.words import GA4_NAMES

NAME = "GA4"
EVENTS = GA4_NAMES
#: Parameters of an event, wherever they stand. Not their `session_id`: it is the second in which a session began, the same for
#: all whose session began in it, and it would make one visitor of them where nobody says the `client_id`.
PARAMS = {
    "client_id": "client_id",
    "user_id": "user_id",
    "timestamp_micros": "event_timestamp",
    "page_location": "page_url",
    "page_title": "page_title",
    "page_referrer": "referrer",
    "user_agent": "user_agent",
    "language": "device.language",
    "screen_resolution": "device.screen",
    "search_term": "search_query",
    "item_list_name": "list_name",
    "currency": "currency",
    "campaign_source": "utm_source",
    "campaign_medium": "utm_medium",
    "campaign_name": "utm_campaign",
    "campaign_term": "utm_term",
    "campaign_content": "utm_content",
}
ITEMS = {"items": "items"}
ORDER = {
    "transaction_id": "order.id",
    "value": "order.value",
    "tax": "order.tax",
    "shipping": "order.shipping",
    "coupon": "order.coupon",
    "discount": "order.discount",
    "items": "order.items",
}
#: What says who a person is.
DROPPED = frozenset(("user_data", "ip_override"))
#: Universal Analytics says by a key in `ecommerce` what happened, and calls the event as it likes.
ACTIONS = {
    "purchase": "purchase",
    "refund": "refund",
    "add": "add_to_cart",
    "remove": "remove_from_cart",
    "detail": "view_product",
    "click": "select_item",
    "checkout": "checkout",
    "impressions": "view_item_list",
}
_ACTION_FIELD = {
    "id": "order.id",
    "revenue": "order.value",
    "tax": "order.tax",
    "shipping": "order.shipping",
    "coupon": "order.coupon",
}


def _universal() -> dict[str, str]:
    orders = {f"{action}.actionField.{key}": path for action in ORDER_EVENTS for key, path in _ACTION_FIELD.items()}
    lines = {f"{action}.products": "order.items" if action in ORDER_EVENTS else "items" for action in ACTIONS}
    lists = {f"{action}.actionField.list": "list_name" for action in ("click", "detail")}
    return {**orders, **lines, **lists, "impressions": "items", "currencyCode": "currency"}


def _table(own: dict[str, str]) -> Table:
    params = {**PARAMS, **own}
    inside = {f"ecommerce.{key}": path for key, path in {**params, **_universal()}.items()}
    # The event's time beside its parameters is an epoch number; what scripts call `timestamp` is one too. A shop that calls
    # its events as GA4 does may use our words for the rest.
    ours = {path: path for path in FIELDS if path not in params}
    return Table(NAME, {**inside, **params, "timestamp": "event_timestamp", **ours}, DROPPED, frozenset(("ecommerce",)))


_TABLE, _ORDER_TABLE = _table(ITEMS), _table(ORDER)


def read(record: Mapping[str, Any]) -> Words:
    """What a push into the data layer says."""
    ecommerce = record.get("ecommerce")
    action = (
        next((name for key, name in ACTIONS.items() if key in ecommerce), None)
        if isinstance(ecommerce, Mapping)
        else None
    )
    said = record.get("event")
    if action is None and said is None:
        raise Reject(
            "missing_event_name", f"{NAME}: a push without `event` only fills the data layer; it is not an event"
        )
    if action is None and isinstance(said, str) and said.startswith("gtm."):
        raise Reject(
            "invalid_event", f"{NAME}: {said[:40]} is what the tag manager tells itself; send what visitors do"
        )
    name = action or event_name(said, EVENTS, NAME)
    rest = {key: value for key, value in record.items() if key != "event" or (action and value != action)}
    words = (_ORDER_TABLE if name in ORDER_EVENTS else _TABLE).read(rest, name)
    name_list(words)
    return words


def name_list(words: Words) -> None:
    """A list that is named on its items only is named after the first."""
    items = words.values.get("items")
    if "list_name" not in words.values and isinstance(items, list) and items and isinstance(items[0], Mapping):
        found = items[0].get("item_list_name") or items[0].get("list")
        if isinstance(found, str):
            words.values["list_name"] = found


def is_command(given: Any) -> bool:
    """Whether this is what `gtag(…)` was called with: a list, or the `arguments` of a function, which JSON makes an object."""
    return isinstance(given, list) and bool(given) and isinstance(given[0], str)


def from_command(given: list[Any]) -> dict[str, Any]:
    """`gtag("event", name, params)` as a push into the data layer."""
    if given[0] != "event" or len(given) < 2:
        raise Reject("invalid_event", f'{NAME}: of what gtag is called with, only ("event", name, …) is an event')
    params = given[2] if len(given) > 2 and isinstance(given[2], Mapping) else {}
    rest = {"arguments": given[3:]} if len(given) > 3 else {}
    return {**params, **rest, "event": given[1], "ecommerce": params.get("ecommerce", {})}
