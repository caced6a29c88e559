"""The rows that an event, a reject and an object become, as lines of COPY."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from clickstream_dagster.raw import agents, sources
from clickstream_dagster.raw.copy_format import json_text, line
from clickstream_dagster.raw.decode import Decoded, fingerprint
from clickstream_dagster.raw.objects import RawObject
from ingest_lambda.contract import ORDER_EVENTS, Event, Geo, Order, Product, Rejection

EVENT_COLUMNS = (
    *("event_id", "event_timestamp", "event_name", "user_id", "user_login_state", "identity_source", "client_id"),
    *("session_id", "is_first_visit", "product_id", "product_name", "product_category", "product_brand"),
    *("product_price", "product_discount_price", "product_url_path", "visitor_id", "received_at", "sent_at"),
    *("client_timestamp", "time_source", "page_url", "page_host", "page_path", "page_title", "referrer"),
    *("device_type", "device", "country", "region", "city", "quantity", "currency"),
    *("order_id", "order_key", "order_value", "order_items", "search_query", "consent", "is_gpc", "is_dnt"),
    *(
        "user_agent",
        "is_automated",
        "tracker_version",
        "props",
        "partition_hour",
        "object_key",
        "line_number",
        "payload_hash",
        "source_key",
        "agent_key",
    ),
    *("order_tax", "order_shipping", "order_discount", "order_coupon", "items", "list_name", "warnings"),
    *("experiment", "variant"),
)
REJECT_COLUMNS = (
    *("partition_hour", "object_key", "line_number", "content_hash", "received_at", "code", "message", "body"),
    *("body_encoding", "body_bytes", "body_sha256"),
)
OBJECT_COLUMNS = (
    *("object_key", "content_hash", "etag", "size_bytes", "partition_hour", "line_count", "event_count"),
    *("rejected_count", "erased_count"),
)
_NO_PRODUCT, _NO_ORDER, _NO_GEO = Product(), Order(), Geo()


@dataclass
class Seen:
    """What events say that is labelled once for each distinct value, and the hosts that pages were seen on."""

    origins: dict[str, sources.Origin] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)

    def __ior__(self, other: Seen) -> Seen:
        self.origins |= other.origins
        self.agents |= other.agents
        self.hosts |= other.hosts
        return self


def event_rows(decoded: Decoded, seen: Seen) -> list[bytes]:
    """The accepted events of a part of an object, as COPY lines in the order of `EVENT_COLUMNS`. What they say that is to be
    labelled is added to `seen`."""
    return [line(_event_values(decoded, number, event, seen)) for number, event in decoded.events]


def reject_rows(decoded: Decoded) -> list[bytes]:
    """The rejects of a part of an object, as COPY lines in the order of `REJECT_COLUMNS`."""
    return [reject_row(decoded, number, rejection) for number, rejection in decoded.rejects]


def reject_row(decoded: Decoded, number: int, rejection: Rejection) -> bytes:
    """One reject as a COPY line."""
    raw = decoded.raw
    place = (raw.hour, raw.key, number, decoded.content_hash, rejection.received_at)
    return line((*place, rejection.code, rejection.message, *_body(rejection)))


def _body(rejection: Rejection) -> tuple[Any, ...]:
    return rejection.body, rejection.body_encoding, rejection.body_bytes, rejection.body_sha256


def object_row(raw: RawObject, content_hash: UUID, lines: int, events: int, rejects: int, erased: int) -> bytes:
    """The manifest entry of an object, as a COPY line in the order of `OBJECT_COLUMNS`."""
    return line((raw.key, content_hash, raw.etag, raw.size, raw.hour, lines, events, rejects, erased))


def order_key(event: Event) -> str | None:
    """What makes purchases and refunds one order: its id. A purchase without one is an order of its own."""
    if event.event_name not in ORDER_EVENTS:
        return None
    if event.order and event.order.id:
        return event.order.id
    return f"event:{event.event_id}" if event.event_name == "purchase" else None


def _event_values(decoded: Decoded, number: int, event: Event, seen: Seen) -> tuple[Any, ...]:
    product, order = event.product or _NO_PRODUCT, event.order or _NO_ORDER
    geo = event.geo or _NO_GEO
    page = sources.page(event.page_url)
    source_key, agent_key = _note(event, page, seen)
    # fmt: off
    return (
        event.event_id, event.event_timestamp, event.event_name, event.user_id, event.user_login_state,
        event.identity_source, event.client_id, event.session_id, event.is_first_visit, product.id, product.name,
        product.category, product.brand, product.price, product.discount_price, product.url_path, event.visitor_id,
        event.received_at, event.sent_at, event.client_timestamp, event.time_source, event.page_url, page.host, page.path,
        event.page_title, event.referrer, event.device and event.device.type, json_text(event.device), geo.country,
        geo.region, geo.city, event.quantity, order.currency or event.currency, order.id, order_key(event), order.value,
        json_text(order.items or None), event.search_query, event.consent, event.is_gpc, event.is_dnt, event.user_agent,
        is_automated(event), event.tracker_version, json_text(event.props), decoded.raw.hour, decoded.raw.key, number,
        fingerprint(event), source_key, agent_key, order.tax, order.shipping, order.discount, order.coupon,
        json_text(event.items or None), event.list_name, json_text(event.warnings or None),
        event.experiment, event.variant,
    )
    # fmt: on


def _note(event: Event, page: sources.Page, seen: Seen) -> tuple[str | None, str | None]:
    """Note what is labelled by its value; the keys by which the event names it."""
    origin = sources.origin_of(page, event.referrer)
    if origin:
        seen.origins[origin.key] = origin
    if page.host and event.event_name in ("page_view", "view_product"):
        seen.hosts.add(page.host)
    if not event.user_agent:
        return origin and origin.key, None
    agent_key = agents.key(event.user_agent)
    seen.agents[agent_key] = event.user_agent
    return origin and origin.key, agent_key


def is_automated(event: Event) -> bool:
    """True for a browser that says that a program drives it."""
    return event.props is not None and event.props.get("webdriver") is True
