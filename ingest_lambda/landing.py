"""Where a raw object lies. The collector writes these keys and the loader lists them: nothing else knows the layout.

The hour in a key is the UTC hour of *receipt*, so an hour that is over never gets another key.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

EVENTS = "events"
REJECTED = "rejected"
OPERATIONS = "operations"


def hour_prefix(hour: datetime, root: str = EVENTS) -> str:
    """`events/YYYY/MM/DD/HH/`: everything that was received in the UTC hour that `hour` lies in."""
    return f"{root}/{_utc(hour):%Y/%m/%d/%H}/"


def day_prefix(day: datetime, root: str = EVENTS) -> str:
    """`events/YYYY/MM/DD/`: everything that was received on the UTC day that `day` lies in."""
    return f"{root}/{_utc(day):%Y/%m/%d}/"


def event_key(received_at: datetime, uuid: UUID) -> str:
    """The key of the accepted events of one request."""
    return f"{hour_prefix(received_at)}event-{uuid}.json"


def rejected_key(received_at: datetime, uuid: UUID) -> str:
    """The key of the rejected events of one request."""
    return f"{hour_prefix(received_at, REJECTED)}rejected-{uuid}.json"


def operations_key(hour: datetime) -> str:
    """The key of an hour's operational numbers: the same one each time that they are written."""
    return f"{hour_prefix(hour, OPERATIONS)}metrics.json"


def operations_hour(key: str) -> datetime | None:
    """The hour of such a key; None for any other."""
    try:
        return datetime.strptime(key, f"{OPERATIONS}/%Y/%m/%d/%H/metrics.json").replace(tzinfo=UTC)
    except ValueError:
        return None


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a raw key needs a time zone: a naive time would land in another hour on another machine")
    return moment.astimezone(UTC)
