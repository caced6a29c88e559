"""Which hour a tick is asked for: EventBridge's scheduled event means the hour before its `time`, a test event names it:
`{"hoursBack": 1}`, `{"targetUtcHour": "2025-12-06T05:00:00Z"}` or `{"overridePrefix": "events/2025/12/06/05/"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clickstream_dagster.partitions import HOUR, floor_hour, hour_of_prefix, key_of

_NAMED = ("overridePrefix", "targetUtcHour", "hoursBack")


class BadTick(ValueError):
    """The event names no hour that can be materialized; the message says what it takes."""


def is_by_the_clock(event: Mapping[str, Any]) -> bool:
    """True for EventBridge's own event: it names no hour but by its time."""
    return not any(name in event for name in _NAMED)


def target_hour(event: Mapping[str, Any], now: datetime) -> datetime:
    """The hour that an event asks for, floored: Dagster would take 01:30 for 02:00 without a word."""
    if not isinstance(event, Mapping):
        raise BadTick(f"The event is {event!r}, not an object; send one with time, hoursBack or targetUtcHour.")
    if "overridePrefix" in event:
        hour = hour_of_prefix(str(event["overridePrefix"]))
        if hour is None:
            raise BadTick(f"overridePrefix {event['overridePrefix']!r} is no hour; use events/YYYY/MM/DD/HH/.")
        return hour
    if "targetUtcHour" in event:
        return _hour("targetUtcHour", event["targetUtcHour"])
    if "hoursBack" in event:
        back = event["hoursBack"]
        if not isinstance(back, int) or isinstance(back, bool) or not 0 <= back <= 87_600:
            raise BadTick(f"hoursBack {back!r} must be a whole number of hours, 0 or more.")
        return floor_hour(now) - back * HOUR
    if "time" in event:
        return _hour("time", event["time"], back=HOUR)
    raise BadTick("The event has none of time, hoursBack, targetUtcHour, overridePrefix; one of them names the hour.")


def _hour(name: str, text: object, back: timedelta = timedelta(0)) -> datetime:
    try:
        return floor_hour(datetime.fromisoformat(str(text))) - back
    except (ValueError, OverflowError) as error:
        raise BadTick(f"{name} {text!r} is not a time; use 2025-12-06T05:00:00Z.") from error


def check_range(hour: datetime, first: datetime) -> None:
    """Raise `BadTick` for an hour before the first partition or in the future."""
    if hour < first:
        raise BadTick(
            f"{key_of(hour)} lies before the first partition, {key_of(first)}. Set CLICKSTREAM_FIRST_HOUR to an earlier hour."
        )
    if hour > floor_hour(datetime.now(UTC)):
        raise BadTick(f"{key_of(hour)} lies in the future. Name an hour that has begun.")
