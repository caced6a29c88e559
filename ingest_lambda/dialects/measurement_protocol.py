"""GA4's Measurement Protocol: `{client_id, user_id, timestamp_micros, events: [{name, params}]}`, as servers send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_lambda.contract import ORDER_EVENTS
from ingest_lambda.dialects import ga4
from ingest_lambda.dialects.common import Words
from ingest_lambda.dialects.tables import Table, event_name

NAME = "GA4 Measurement Protocol"
#: What stands beside the list of events.
ENVELOPE = {
    "client_id": "client_id",
    "app_instance_id": "client_id",
    "user_id": "user_id",
    "timestamp_micros": "event_timestamp",
    "user_agent": "user_agent",
    "user_location.country_id": "geo.country",
    "user_location.region_id": "geo.region",
    "user_location.city": "geo.city",
    "device.category": "device.type",
    "device.operating_system": "device.os",
    "device.browser": "device.browser",
    "device.language": "device.language",
    "device.screen_resolution": "device.screen",
}
#: Only here are the words of a campaign parameters of any event.
_CAMPAIGN = {
    "source": "utm_source",
    "medium": "utm_medium",
    "campaign": "utm_campaign",
    "term": "utm_term",
    "content": "utm_content",
}
_DROPPED = ga4.DROPPED | {"api_secret"} | {f"params.{key}" for key in ga4.DROPPED}


def _table(own: dict[str, str]) -> Table:
    params = {f"params.{key}": path for key, path in {**ga4.PARAMS, **own, **_CAMPAIGN}.items()}
    return Table(NAME, {**params, **ENVELOPE}, _DROPPED, frozenset(("params",)))


_TABLE, _ORDER_TABLE = _table(ga4.ITEMS), _table(ga4.ORDER)


def read(record: Mapping[str, Any]) -> Words:
    """What one of the events says."""
    name = event_name(record.get("name"), ga4.EVENTS, NAME)
    rest = {key: value for key, value in record.items() if key != "name"}
    words = (_ORDER_TABLE if name in ORDER_EVENTS else _TABLE).read(rest, name)
    ga4.name_list(words)
    return words


def envelope(record: Mapping[str, Any]) -> Words:
    """What is said beside the events, for all of them."""
    return _TABLE.read(record, None)
