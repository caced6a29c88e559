"""Whose words a record is in that is not ours, by its shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingest_lambda.contract import Reject
from ingest_lambda.dialects import ga4, measurement_protocol, segment, snowplow
from ingest_lambda.dialects.common import Words, own
from ingest_lambda.words import snake

_CALLS = frozenset((*segment.CALLS, *segment.NO_EVENTS, "track"))
#: Beside `type`, what only a call of Segment has; without it, what only its HTTP API has.
_OF_A_CALL = frozenset(("anonymousId", "userId", "messageId", "context", "properties", "traits"))
#: An event of the Measurement Protocol that has no parameters.
_OF_THE_PROTOCOL = frozenset(("name", "timestamp_micros"))
_OF_A_PUSH = frozenset(("ecommerce", "page_location", "ga_session_id", "gtm.uniqueEventId"))


def reader(record: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Words]:
    """What reads it: a dialect, or our own words after all."""
    if "name" in record and "event" not in record and ("params" in record or _OF_THE_PROTOCOL.issuperset(record)):
        return measurement_protocol.read
    if isinstance(record.get("batch"), list) and "event" not in record:
        raise Reject(
            "invalid_event", "Segment: a batch is several events; here, give each of its calls a line of its own"
        )
    if _is_call(record):
        return segment.read
    said = record.get("event")
    if not _OF_A_PUSH.isdisjoint(record) or (isinstance(said, str) and said in ga4.EVENTS):
        return ga4.read
    if "0" in record and "1" in record:
        return _arguments
    if isinstance(record.get("schema"), str) and record["schema"].startswith("iglu:"):
        return snowplow.read
    return own


def _is_call(record: Mapping[str, Any]) -> bool:
    if _OF_A_CALL.isdisjoint(record):
        return False
    call, said = record.get("type"), record.get("event")
    if call is not None:
        return isinstance(call, str) and call in _CALLS
    if not isinstance(said, str):
        return False
    return isinstance(record.get("context"), Mapping) or snake(said[:64].replace(" ", "_")) in segment.EVENTS


def _arguments(record: Mapping[str, Any]) -> Words:
    """`gtag` pushes the arguments of its call, which JSON makes an object of numbered members; what the sender adds is kept."""
    given = [record[key] for key in ("0", "1", "2", "3") if key in record]
    if not ga4.is_command(given):
        return own(record)
    beside = {key: value for key, value in record.items() if not key.isdecimal()}
    return ga4.read({**beside, **ga4.from_command(given)})
