"""Store imported events in the hours of their own time. Keys are made of the file's bytes and its mapping, so that importing
a file again stores nothing twice, and an import that was cut off is finished by running it again."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid5

from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore

from clickstream_dagster.local.importer.records import Record
from clickstream_dagster.partitions import floor_hour
from ingest_lambda import contract, landing, normalize
from ingest_lambda.contract import Event, Rejection
from ingest_lambda.rejects import rejection

#: Lines held in memory before hours are written out.
HELD_LINES = 200_000

Held = dict[tuple[str, datetime], list[bytes]]


@dataclass
class Imported:
    """What an import stored. `first_hour` and `last_hour` are the hours of the events, None when there were none;
    `hours` are all that hold an object of this import."""

    events: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    known_objects: int = 0
    first_hour: datetime | None = None
    last_hour: datetime | None = None
    hours: set[datetime] = field(default_factory=set)

    @property
    def refused(self) -> int:
        """How many lines were kept as refused."""
        return self.rejected.total()


def store_records(
    store: ObjectStore,
    path: Path,
    records: Iterable[Record],
    on_record: Callable[[Record], None] = lambda _: None,
    meaning: str = "",
) -> Imported:
    """Store the records of a file as raw objects. `meaning` is what its mapping says: read otherwise, the same file is
    another import."""
    result = Imported()
    fingerprint = _hash(path) + (f"/{hashlib.sha256(meaning.encode()).hexdigest()}" if meaning else "")
    held: Held = defaultdict(list)
    part = 0
    now = datetime.now(UTC)
    latest: datetime | None = None
    early: list[Record] = []
    for count, record in enumerate(records, 1):
        on_record(record)
        if isinstance(record.outcome, Event):
            latest = record.outcome.received_at
            _count_event(result, latest)
            held[landing.EVENTS, floor_hour(latest)].append(contract.encode(record.outcome))
            _reject(held, early, latest, result)
        # A broken line has no time of its own: it is counted in the hour of the good line before it, or else after it.
        elif latest:
            _reject(held, [record], latest, result)
        else:
            early.append(record)
        if count % HELD_LINES == 0:
            _write(store, held, f"{fingerprint}/{part}", result)
            part += 1
    _reject(held, early, now, result)
    _write(store, held, f"{fingerprint}/{part}", result)
    return result


def _count_event(result: Imported, moment: datetime) -> None:
    hour = floor_hour(moment)
    result.events += 1
    result.first_hour = min(result.first_hour or hour, hour)
    result.last_hour = max(result.last_hour or hour, hour)


def _reject(held: Held, broken: list[Record], moment: datetime, result: Imported) -> None:
    for record in broken:
        kept = _rejection(record, moment)
        result.rejected[kept.code] += 1
        held[landing.REJECTED, floor_hour(moment)].append(contract.encode(kept))
    broken.clear()


def _rejection(record: Record, moment: datetime) -> Rejection:
    assert not isinstance(record.outcome, Event)
    return rejection(record.outcome, record.line.strip(), moment)


def _write(store: ObjectStore, held: Held, name: str, result: Imported) -> None:
    for (root, hour), lines in held.items():
        result.hours.add(hour)
        key = f"{landing.hour_prefix(hour, root)}import-{uuid5(normalize.EVENT_NAMESPACE, f'{name}/{root}')}.json.gz"
        try:
            store.put(key, gzip.compress(b"\n".join(lines) + b"\n", mtime=0), mode="create")
            result.objects += 1
        except AlreadyExistsError:
            result.known_objects += 1
    held.clear()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
