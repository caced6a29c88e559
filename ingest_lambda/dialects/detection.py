"""Whose words a record is in, by its shape. An event of ours is known by a few look-ups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingest_lambda.contract import Reject
from ingest_lambda.dialects import self_describing
from ingest_lambda.dialects.common import Words, own


def translate(record: Mapping[str, Any]) -> Words:
    """The fields of a record by path, its props, and what of it could not be read."""
    return _reader(record)(record)


def unwrapped(given: Any) -> Mapping[str, Any]:
    """What is no object, and an event all the same."""
    from ingest_lambda.dialects import ga4

    if ga4.is_command(given):
        return ga4.from_command(given)
    raise Reject("invalid_event", 'an event is a JSON object, as {"event_name": "page_view", "client_id": "…"}')


def _reader(record: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Words]:
    if (
        "collector_tstamp" in record
        or "domain_userid" in record
        or self_describing.ACTION in record
        or self_describing.PRODUCTS in record
    ):
        from ingest_lambda.dialects import snowplow

        return snowplow.read
    if "event_name" in record or "eventName" in record or "event_type" in record:
        return own
    # Tables that a shop with our words never needs: its cold starts do not wait for them.
    from ingest_lambda.dialects import foreign

    return foreign.reader(record)
