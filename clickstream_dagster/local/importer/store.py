"""Store imported events in the hours of their own time. An object's key is made of the import's name and of its place in
the file, so that importing a file again stores nothing twice, and an import that was cut off is finished by running it again."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore

from clickstream_dagster.local.importer.ids import DIGEST_BYTES, NO_DIGEST, Seen, numbered
from clickstream_dagster.local.importer.source import CHUNK_PIECES, Source
from clickstream_dagster.local.importer.work import Done, Lines, kept, work_through
from clickstream_dagster.partitions import floor_hour
from ingest_lambda import landing
from ingest_lambda.contract import Reject

#: So many lines are held in memory before hours are written out.
HELD_LINES = 200_000
#: Of gzip. The highest level takes six times as long and saves a tenth.
_LEVEL = 3
_EVENT_ID = len(b'{"event_id":"')
_ID_CHARACTERS = 36


@dataclass
class Imported:
    """What an import stored. `first_hour` and `last_hour` are the hours of the events, None when there were none;
    `hours` are all that hold an object of this import."""

    events: int = 0
    orders: int = 0
    without_amount: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    known_objects: int = 0
    first_hour: datetime | None = None
    last_hour: datetime | None = None
    hours: set[datetime] = field(default_factory=set)

    @property
    def rejected(self) -> Counter[str]:
        """How many lines were kept as refused, by code."""
        codes: Counter[str] = Counter()
        for (code, _), count in self.reasons.items():
            codes[code] += count
        return codes

    @property
    def refused(self) -> int:
        """How many lines were kept as refused."""
        return self.reasons.total()


def store_source(store: ObjectStore, source: Source, on_chunk: Callable[[Done], None] = lambda _: None) -> Imported:
    """Store the events of a file as raw objects."""
    writing = _Writing(store, source.identity)
    size = min(CHUNK_PIECES, HELD_LINES)
    for done in work_through(source, size):
        writing.add(done)
        on_chunk(done)
    return writing.end()


class _Writing:
    def __init__(self, store: ObjectStore, name: str) -> None:
        self.store, self.name = store, name
        self.result = Imported()
        self._seen = Seen()
        self._latest: datetime | None = None
        self._early: list[tuple[Reject, bytes]] = []
        self._held: defaultdict[tuple[str, datetime], list[bytes | bytearray]] = defaultdict(list)
        self._lines = self._part = 0

    def add(self, done: Done) -> None:
        """Take over what became of a chunk."""
        # A broken line has no time of its own: it is counted in the hour of the good line before it, or else after it.
        self._early += done.early
        if moment := self._latest or done.first:
            self._refuse_early(moment)
        self._latest = done.last or self._latest
        for hour, lines in done.events.items():
            self._count(hour)
            self._held[landing.EVENTS, hour].append(self._numbered(lines))
        for hour, text in done.rejects.items():
            self._held[landing.REJECTED, hour].append(text)
        self.result.events += done.count
        self.result.left_out += done.left_out
        self.result.orders += done.orders
        self.result.without_amount += done.without_amount
        self.result.reasons += done.reasons
        self.result.warnings += done.warnings
        self._lines += done.count + done.reasons.total()
        if self._lines >= HELD_LINES:
            self._write()

    def end(self) -> Imported:
        """Store the rest."""
        self._refuse_early(self._latest or datetime.now(UTC))
        self._write()
        return self.result

    def _refuse_early(self, moment: datetime) -> None:
        for reason, body in self._early:
            self._held[landing.REJECTED, floor_hour(moment)].append(kept(reason, body, moment))
        self._early.clear()

    def _count(self, hour: datetime) -> None:
        self.result.first_hour = min(self.result.first_hour or hour, hour)
        self.result.last_hour = max(self.result.last_hour or hour, hour)

    def _numbered(self, lines: Lines) -> bytes | bytearray:
        """The lines, each of which that was there before with an id of its own."""
        digests = bytes(lines.digests)
        changed: list[bytes] | None = None
        for place, at in enumerate(range(0, len(digests), DIGEST_BYTES)):
            digest = digests[at : at + DIGEST_BYTES]
            if digest != NO_DIGEST and (number := self._seen.number(digest)) > 1:
                changed = changed or bytes(lines.text).split(b"\n")
                line, end = changed[place], _EVENT_ID + _ID_CHARACTERS
                changed[place] = line[:_EVENT_ID] + numbered(digest, number).encode() + line[end:]
        return b"\n".join(changed) if changed else lines.text

    def _write(self) -> None:
        for (root, hour), texts in self._held.items():
            self.result.hours.add(hour)
            key = landing.imported_key(root, hour, self.name, self._part)
            try:
                self.store.put(key, _packed(texts), mode="create")
                self.result.objects += 1
            except AlreadyExistsError:
                self.result.known_objects += 1
        self._held.clear()
        self._lines, self._part = 0, self._part + 1


def _packed(texts: list[bytes | bytearray]) -> bytes:
    packer = zlib.compressobj(_LEVEL, wbits=31)
    return b"".join([*map(packer.compress, texts), packer.flush()])
