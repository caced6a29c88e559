"""Where to look for what is new, and what lies outside the hours that can be loaded, without listing the whole bucket."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
from obstore.store import ObjectStore

from clickstream_dagster import partitions
from clickstream_dagster.raw import objects
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.raw.packs.listing import Known
from ingest_lambda import landing
from ingest_lambda.folder import UNFINISHED

#: What a write to a folder leaves behind when its process is killed; a listing does not show it.
_LEFTOVER = re.compile(r".+#[0-9]+")
_ROOT = re.compile(
    rf"{landing.EVENTS}|{landing.REJECTED}|{landing.OPERATIONS}|{landing.IMPORTS}|{landing.ERASED}|{landing.LAKE}|year=[0-9]{{4}}"
    rf"|{re.escape(UNFINISHED)}"
)
#: A folder called by a number: a year, a month or a day.
_NUMBERED = re.compile(r"(.*/)?((year|month|day)=)?[0-9]{2,4}/?")
#: The deepest layout: events/year=/month=/day=/hour=/
_MAX_DEPTH = 5


def touched_hours(folder: Path) -> dict[datetime, datetime]:
    """Hour -> when something was last put into its folders, taken away or renamed. By the time of the change itself
    (ctime), which a copy that keeps the times of its files does not set back."""
    touched: dict[datetime, datetime] = {}
    waiting = [("", 0)]
    while waiting:
        prefix, depth = waiting.pop()
        hour = partitions.hour_of_object(f"{prefix}x")
        if hour:
            changed = datetime.fromtimestamp((folder / prefix).stat().st_ctime, UTC)
            touched[hour] = max(touched.get(hour, changed), changed)
        if depth < _MAX_DEPTH and not partitions.is_folder_of_hour(prefix):
            waiting += [(f"{prefix}{name}/", depth + 1) for name in _folders(folder / prefix)]
    return touched


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except FileNotFoundError:  # gone since its own folder was read
        return []


def days_before(store: ObjectStore, moment: datetime) -> Iterator[datetime]:
    """The days (UTC) before that of `moment` on which objects of any layout lie, oldest first."""
    roots = [landing.EVENTS, landing.REJECTED, None]
    years = [year for root in roots for year in _dated(store, root)]
    months = [month for year in years for month in _dated(store, year)]
    days = {day for month in months for prefix in _dated(store, month) if (day := _day(prefix)) and day < moment}
    yield from sorted(day for day in days if day < moment.replace(hour=0))


def _dated(store: ObjectStore, prefix: str | None) -> list[str]:
    """The folders below one that are called by a number: a year, a month or a day."""
    found = obstore.list_with_delimiter(store, prefix)["common_prefixes"]
    return [name for name in found if _NUMBERED.fullmatch(name)]


def _day(prefix: str) -> datetime | None:
    """The day of a folder such as events/2026/11/20."""
    return partitions.hour_of_object(f"{prefix.rstrip('/')}/x")


def outside(store: ObjectStore, first: datetime, end: datetime, known: Known) -> Iterator[RawObject]:
    """The objects of hours before `first` or from `end` on, of a bucket that lists by key: nothing in between is listed.
    Only the collector's own layout; `objects.list_all` shows every one."""
    for root in (landing.EVENTS, landing.REJECTED):
        for raw in objects.list_from(store, f"{root}/", None, landing.hour_prefix(first, root), known):
            if raw.hour >= first:
                break
            yield raw
        after = landing.hour_prefix(end, root)
        yield from (raw for raw in objects.list_from(store, f"{root}/", after, f"{root}/:", known) if raw.hour >= end)


def strangers(store: ObjectStore, start: datetime, end: datetime) -> Iterator[str]:
    """The keys in no known place on the days from `start` to `end`, and of what lies beside the known roots the names."""
    top = obstore.list_with_delimiter(store)
    yield from (meta["path"] for meta in top["objects"])
    yield from (f"{name}/" for name in top["common_prefixes"] if not _ROOT.fullmatch(name.rstrip("/")))
    midnight = start.replace(hour=0)
    while midnight < end:
        for prefix in partitions.prefixes_of(midnight, midnight + timedelta(days=1)):
            for page in obstore.list(store, prefix=prefix):
                yield from (meta["path"] for meta in page if not partitions.hour_of_object(meta["path"]))
        midnight += timedelta(days=1)


def leftovers(folder: Path) -> Iterator[str]:
    """The keys of files that writers of older versions left behind half written; today's remove theirs at a start."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != UNFINISHED]
        yield from (str((Path(place) / name).relative_to(folder)) for name in names if _LEFTOVER.fullmatch(name))
