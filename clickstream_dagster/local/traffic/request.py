"""A delivery as the HTTP request that the collector gets, in the dialect of the tracker that sent it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import datetime

import msgspec

from clickstream_dagster.local.traffic.browser import Event, Hit
from clickstream_dagster.local.traffic.deliveries import Delivery
from clickstream_dagster.local.traffic.dialects import camel, v1
from clickstream_dagster.local.traffic.truth import Truth, truth_of
from clickstream_dagster.local.traffic.visitors import Visitor

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the collector, and what is true of it."""

    received_at: datetime
    body: bytes
    headers: dict[str, str]
    path: str
    truth: Truth


def to_request(delivery: Delivery) -> Request:
    """The request of a delivery."""
    visitor = delivery.visitor
    body = _body(delivery)
    if delivery.is_cut_short:
        body = body[: len(body) * 2 // 3]
    headers = {
        "content-type": "text/plain;charset=UTF-8" if delivery.is_beacon else "application/json",
        "user-agent": visitor.user_agent,
        "origin": f"https://{visitor.host}",
        "accept-language": visitor.device["language"],
    }
    if delivery.is_gzip:
        # Without a time stamp, so that the same seed gives the same bytes.
        body, headers["content-encoding"] = gzip.compress(body, compresslevel=5, mtime=0), "gzip"
    return Request(
        received_at=delivery.received_at,
        body=body,
        headers=headers,
        path="/v1/events" if visitor.dialect == "v1" else "/clickstream",
        truth=truth_of(delivery.hits, delivery.received_at, is_bot=delivery.is_bot, is_retry=delivery.is_retry),
    )


def _body(delivery: Delivery) -> bytes:
    """Canonical events travel in an envelope with the time of sending, the older dialects without one."""
    visitor = delivery.visitor
    if visitor.dialect == "camel":
        events = [camel(hit.event) for hit in delivery.hits]
        return _encoder.encode(events[0] if len(events) == 1 else events)
    if visitor.dialect == "v1":
        return _encoder.encode([v1(hit.event) for hit in delivery.hits])
    events = [_by_client_clock(hit, visitor) for hit in delivery.hits]
    return _encoder.encode({"sent_at": delivery.sent_at + visitor.clock_skew, "events": events})


def _by_client_clock(hit: Hit, visitor: Visitor) -> Event:
    if not visitor.clock_skew:
        return hit.event
    return {**hit.event, "event_timestamp": hit.at + visitor.clock_skew}
