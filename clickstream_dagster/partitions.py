"""Partition key <-> UTC hour <-> raw prefix. Known nowhere else.

A partition is the hour of *receipt*. Its key is Dagster's own for hours, `2026-11-20-05:00`. Objects are read from the
layout that the collector writes and from the two older ones: by day only (those count in the day's first hour) and Hive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

KEY_FORMAT = "%Y-%m-%d-%H:00"
HOUR = timedelta(hours=1)

# Exactly what lies under `_DAY_ROOTS`: a key that no listing of an hour finds must not count as owed to one.
_LAYOUTS = (
    re.compile(r"(?:events|rejected)/([0-9]{4})/([0-9]{2})/([0-9]{2})/(?:([0-9]{2})/)?[^/]+\Z"),
    re.compile(r"(?:events/)?year=([0-9]{4})/month=([0-9]{2})/day=([0-9]{2})/(?:hour=([0-9]{2})/)?[^/]+\Z"),
)
_PREFIX = re.compile(r"(?:events|rejected)/([0-9]{4})/([0-9]{2})/([0-9]{2})/([0-9]{2})/?\Z")
_DAY_ROOTS = (
    "events/%Y/%m/%d/",
    "rejected/%Y/%m/%d/",
    "events/year=%Y/month=%m/day=%d/",
    "year=%Y/month=%m/day=%d/",
)


def floor_hour(moment: datetime) -> datetime:
    """The UTC hour that holds this moment. A moment without a zone is taken as UTC."""
    if moment.tzinfo is not UTC:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(minute=0, second=0, microsecond=0)


def key_of(hour: datetime) -> str:
    """`2026-11-20-05:00` for the hour that begins then."""
    return floor_hour(hour).strftime(KEY_FORMAT)


def hour_of_key(key: str) -> datetime:
    """The hour of a partition key."""
    return datetime.strptime(key, KEY_FORMAT).replace(tzinfo=UTC)


def hour_of_prefix(prefix: str) -> datetime | None:
    """The hour of a raw prefix such as `events/2026/11/20/05/`, or None when it is not one."""
    found = _PREFIX.match(prefix.strip())
    return _moment(*found.groups()) if found else None


def hour_of_object(object_key: str) -> datetime | None:
    """The partition an object belongs to, or None when its key has none of the known layouts."""
    found = _parts(object_key)
    return _moment(*(part or "00" for part in found)) if found else None


def last_moment_of_object(object_key: str) -> datetime:
    """The latest time at which an object can have been received: the end of its hour, or of its day where the key has no
    hour. What an older writer's line, which does not say when it was received, is taken to be."""
    hour, parts = hour_of_object(object_key), _parts(object_key)
    if hour is None or parts is None:
        raise ValueError(f"{object_key} is in no known layout")
    return hour + (HOUR if parts[-1] else 24 * HOUR) - timedelta(microseconds=1)


def is_folder_of_hour(prefix: str) -> bool:
    """True for a prefix such as `events/2026/11/20/05/`, in any of the layouts: below it no object has a known place."""
    parts = _parts(f"{prefix}x")
    return parts is not None and parts[-1] is not None


def _parts(object_key: str) -> tuple[str | None, ...] | None:
    """Year, month, day and, where the key has one, hour."""
    return next((found.groups() for layout in _LAYOUTS if (found := layout.match(object_key))), None)


def _moment(*parts: str) -> datetime | None:
    year, month, day, hour = map(int, parts)
    try:
        return datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None


def hours_between(start: datetime, end: datetime) -> Iterator[datetime]:
    """Every hour from `start` up to, not including, `end`."""
    hour = floor_hour(start)
    while hour < end:
        yield hour
        hour += HOUR


def prefixes_of(start: datetime, end: datetime) -> list[str]:
    """The prefixes to list for the hours from `start` up to `end`: whole days at once where they are asked for whole."""
    prefixes: list[str] = []
    hour = floor_hour(start)
    while hour < end:
        roots = [hour.strftime(root) for root in _DAY_ROOTS]
        if hour.hour == 0 and hour + timedelta(days=1) <= end:
            prefixes += roots
            hour += timedelta(days=1)
        else:
            prefixes += [root + (f"hour={hour:%H}/" if "=" in root else f"{hour:%H}/") for root in roots]
            hour += HOUR
    return prefixes


def day_only_prefixes(start: datetime, end: datetime) -> list[str]:
    """Days whose objects without an hour belong to the hours asked for, where `prefixes_of` did not list the day."""
    midnights = (hour for hour in hours_between(start, end) if hour.hour == 0)
    cut = [hour for hour in midnights if hour + timedelta(days=1) > end]
    return [hour.strftime(root) for hour in cut for root in _DAY_ROOTS]


def ranges(hours: Iterable[datetime], max_gap_hours: int) -> list[tuple[datetime, datetime]]:
    """Sorted hours gathered into `(start, end)` ranges, `end` exclusive, cut where a gap is longer than allowed."""
    found: list[tuple[datetime, datetime]] = []
    for hour in sorted(set(hours)):
        if found and hour - found[-1][1] <= max_gap_hours * HOUR:
            found[-1] = (found[-1][0], hour + HOUR)
        else:
            found.append((hour, hour + HOUR))
    return found
