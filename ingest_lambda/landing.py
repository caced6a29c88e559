"""Where a raw object lies. The collector writes these keys and the loader lists them: nothing else knows the layout.

The hour in a key is the UTC hour of *receipt*, so an hour that is over never gets another key.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

EVENTS = "events"
REJECTED = "rejected"
OPERATIONS = "operations"
#: What was imported lies among the events, and a note of each import here.
IMPORTS = "imports"
#: Whose lines are not loaded any more: one object for each erasure, of salted hashes.
ERASED = "erased"
#: The tables as Parquet, by UTC hour.
LAKE = "lake"

_IMPORTED = re.compile(r"(?:events|rejected)/[0-9/]+/import-([0-9a-f]{12})-[0-9]+\.json\.gz")
_IMPORT = re.compile(r"imports/([0-9a-f]{12})\.json")
_ERASURE = re.compile(r"erased/([0-9a-f-]{36})\.json")
_LAKE = re.compile(r"lake/[a-z_]+/date=[0-9]{4}-[0-9]{2}-[0-9]{2}/hour=[0-9]{2}/part-[0-9a-f]{32}\.parquet")
_PACK = re.compile(
    r"((?:events|rejected)/[0-9]{4}/[0-9]{2}/[0-9]{2}/[0-9]{2}/packed-[0-9a-f]{32})\.(ndjson|index\.json)\.gz"
)


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


def imported_key(root: str, hour: datetime, name: str, part: int) -> str:
    """The key of what the part of an import brings into an hour."""
    return f"{hour_prefix(hour, root)}import-{name}-{part}.json.gz"


def import_of(object_key: str) -> str | None:
    """The import that an object came by; None for any other object."""
    found = _IMPORTED.fullmatch(object_key)
    return found[1] if found else None


def import_key(name: str) -> str:
    """The key of the note of an import."""
    return f"{IMPORTS}/{name}.json"


def noted_import(key: str) -> str | None:
    """The import of such a key; None for any other."""
    found = _IMPORT.fullmatch(key)
    return found[1] if found else None


def erased_key(receipt: UUID) -> str:
    """The key of the hashed ids of an erasure."""
    return f"{ERASED}/{receipt}.json"


def noted_erasure(key: str) -> UUID | None:
    """The receipt of such a key; None for any other."""
    found = _ERASURE.fullmatch(key)
    return UUID(found[1]) if found else None


def lake_prefix(model: str, hour: datetime) -> str:
    """`lake/<model>/date=YYYY-MM-DD/hour=HH/`: the rows of a table that belong to a UTC hour, in Hive's layout."""
    return f"{LAKE}/{model}/{_utc(hour):date=%Y-%m-%d/hour=%H}/"


def lake_key(model: str, hour: datetime, name: str) -> str:
    """The key of these rows, by the hash of what is in them."""
    return f"{lake_prefix(model, hour)}part-{name}.parquet"


def is_lake_key(key: str) -> bool:
    """Whether an object of the lake has such a key."""
    return _LAKE.fullmatch(key) is not None


def pack_key(prefix: str, name: str) -> str:
    """The key of a pack of objects under an `hour_prefix`. Its index lies beside it."""
    return f"{prefix}packed-{name}.ndjson.gz"


def pack_index_key(key: str) -> str:
    """The key of the index of a pack."""
    return key.removesuffix(".ndjson.gz") + ".index.json.gz"


def pack_of(key: str) -> str | None:
    """The pack that an object is, or is the index of; None for any other object."""
    found = _PACK.fullmatch(key)
    return f"{found[1]}.ndjson.gz" if found else None


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a raw key needs a time zone: a naive time would land in another hour on another machine")
    return moment.astimezone(UTC)
