"""Write objects again without the lines of those who were erased, or remove those that hold nothing else.

Each key has its rows in the manifest before and after: one with no lines says that bytes, or their absence, are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from obstore.store import ObjectStore

from clickstream_dagster.partitions import ranges
from clickstream_dagster.raw import objects
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.decode import decode_object
from clickstream_dagster.raw.erased import Erased
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.raw.packs.changing import as_stored, change
from clickstream_dagster.raw.raw_object import content_hash
from clickstream_dagster.raw.rewrite import without
from clickstream_dagster.raw.versions import remove_older
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.erasing.their_lines import Suspect

#: What the manifest says of an object that we remove, in place of the hash of its bytes.
_NOTHING = UUID(int=0)


@dataclass
class Cleaned:
    """What became of some objects. `whole`: all that came of them is to be loaded again, from `written`. `lost`: what came of
    them is to be taken out line by line."""

    whole: set[str] = field(default_factory=set)
    written: list[RawObject] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


@dataclass
class _Object:
    """An object as it lies in the store (`content`; None: it does not), what the manifest says of it, and its text as it is
    to be."""

    suspect: Suspect
    known: Mapping[UUID, int]
    content: UUID | None = None
    lines: int = 0
    data: bytes | None = None

    @property
    def is_ours(self) -> bool:
        """Written or removed by a run that was cut off."""
        return self.known.get(self.content or _NOTHING) == 0

    @property
    def is_to_change(self) -> bool:
        """Bytes that no load has taken yet are left to the next one, which leaves the lines out: announced, the others would
        never be loaded."""
        return self.is_ours or (self.lines > 0 and self.content in self.known)

    @property
    def is_whole(self) -> bool:
        """Whether the tables hold no more of it than the store does, but for the lines."""
        loaded = [content for content, lines in self.known.items() if lines]
        return len(loaded) == 1 and (self.is_ours or loaded[0] == self.content)


def stored(store: ObjectStore, hours: Mapping[str, datetime]) -> list[RawObject]:
    """Of these keys, each with its hour, the objects that the store holds."""
    listed = (raw for start, end in ranges(set(hours.values()), 0) for raw in objects.list_hours(store, start, end))
    return [raw for raw in listed if raw.key in hours]


def clean(connection: Connection, store: ObjectStore, batch: list[Suspect], erased: Erased) -> Cleaned:
    """Clean a batch of objects in the store. Repeating it changes nothing."""
    found = _read(connection, store, batch, erased)
    changed = [one for one in found.values() if one.is_to_change]
    _announce(connection, changed)
    change(store, {one.suspect.key: one.data for one in changed})
    remove_older(store, [one.suspect.key for one in changed])
    cleaned = Cleaned()
    for one in found.values():
        if one.is_whole and one.is_to_change:
            cleaned.whole.add(one.suspect.key)
        elif not one.is_whole and one.known:  # or it has left the tables since it was looked for
            cleaned.lost.append(one.suspect.key)
    cleaned.written = stored(store, {key: found[key].suspect.hour for key in cleaned.whole})
    return cleaned


def would_change(
    connection: Connection, store: ObjectStore, batch: list[Suspect], erased: Erased
) -> list[tuple[Suspect, int, bool]]:
    """The objects that cleaning would change: how many lines would go, and whether anything else would stay."""
    found = _read(connection, store, batch, erased).values()
    return [(one.suspect, one.lines, one.data is not None) for one in found if one.lines and one.is_to_change]


def _read(connection: Connection, store: ObjectStore, batch: list[Suspect], erased: Erased) -> dict[str, _Object]:
    found = {suspect.key: _Object(suspect, {}) for suspect in batch}
    with transaction(connection) as cursor:
        cursor.execute(
            """
            select object_key, jsonb_object_agg(content_hash::text, line_count) from raw_objects
            where object_key = any(%s) group by object_key
            """,
            (list(found),),
        )
        for key, known in cursor.fetchall():
            found[key].known = {UUID(content): lines for content, lines in known.items()}
    for body in read(store, stored(store, {suspect.key: suspect.hour for suspect in batch})):
        one = found[body.raw.key]
        numbers = {number for part in decode_object(body, erased) for number in part.erased}
        one.content, one.lines = body.content_hash, len(numbers)
        if one.is_to_change:
            one.data = without(body.raw.key, body.file, numbers)
    return found


def _announce(connection: Connection, changed: list[_Object]) -> None:
    """Tell the manifest of the new bytes before they are there: a load would take them for new."""
    with transaction(connection) as cursor:
        for one in changed:
            form = None if one.data is None else as_stored(one.suspect.key, one.data)
            content = _NOTHING if form is None else content_hash(form)
            cursor.execute(
                """
                insert into raw_objects (
                    object_key, content_hash, etag, size_bytes, partition_hour, line_count, event_count, rejected_count,
                    erased_count
                )
                values (%s, %s, '', %s, %s, 0, 0, 0, 0) on conflict do nothing
                """,
                (one.suspect.key, str(content), len(form or b""), one.suspect.hour),
            )
