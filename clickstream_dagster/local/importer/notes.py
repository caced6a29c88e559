"""The note of each import, kept in the raw store beside what it brought: what `clickstream imports` lists. It is written
before the first object and again behind the last, so that no import is without one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import obstore
from msgspec import Struct
from obstore.store import ObjectStore

from clickstream_dagster.local.importer.opening import ImportFailed
from clickstream_dagster.local.importer.source import Source
from clickstream_dagster.local.importer.store import Imported
from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw import objects
from clickstream_dagster.raw.objects import RawObject
from clickstream_dagster.raw.packs.changing import change
from ingest_lambda import landing


class Note(Struct, omit_defaults=True):
    """What an import was. Without `finished_at` it was cut off, or goes on. The hours are all those that hold an object."""

    name: str
    file: str
    content: str
    mapping: str
    began_at: datetime
    finished_at: datetime | None = None
    events: int = 0
    refused: int = 0
    first_hour: datetime | None = None
    last_hour: datetime | None = None


def note_of(source: Source, began_at: datetime) -> Note:
    """The note of an import that begins."""
    return Note(source.identity, source.path.name, source.content, source.mapping_name, began_at)


def finished(note: Note, done: Imported, at: datetime) -> Note:
    """The note of an import that has ended."""
    note.finished_at, note.events, note.refused = at, done.events, done.refused
    note.first_hour, note.last_hour = min(done.hours, default=None), max(done.hours, default=None)
    return note


def write(store: ObjectStore, note: Note) -> None:
    """Write a note, over the one that is there."""
    store.put(landing.import_key(note.name), msgspec.json.encode(note))


def notes(store: ObjectStore) -> list[Note]:
    """Every import of the store, the latest last."""
    keys = [
        meta["path"]
        for page in obstore.list(store, prefix=f"{landing.IMPORTS}/")
        for meta in page
        if landing.noted_import(meta["path"])
    ]
    found = [msgspec.json.decode(bytes(obstore.get(store, key).bytes()), type=Note) for key in keys]
    return sorted(found, key=lambda note: note.began_at)


def find(store: ObjectStore, said: str) -> Note:
    """The import that a person names, by its name or a beginning of it. Raises `ImportFailed`."""
    found = [note for note in notes(store) if said and note.name.startswith(said)]
    if len(found) != 1:
        what = f"{len(found)} imports begin with {said}" if found else f"There is no import {said}"
        raise ImportFailed(f"{what}. List them with: clickstream imports")
    return found[0]


def replaced_by(store: ObjectStore, source: Source, among: Iterable[Source]) -> list[Note]:
    """The imports that this one takes the place of: of a file of the same name, or of the same bytes read otherwise; not
    those that are imported beside it."""
    kept = {one.identity for one in among}
    return [
        note
        for note in notes(store)
        if note.name not in kept and (note.file == source.path.name or note.content == source.content)
    ]


def otherwise_read(store: ObjectStore, source: Source, among: Iterable[Source]) -> list[Note]:
    """The imports of the same bytes that were read in another way."""
    return [note for note in replaced_by(store, source, among) if note.content == source.content]


def remove_objects(store: ObjectStore, note: Note) -> None:
    """Take what an import brought out of the store, and out of packs. Nobody may load meanwhile."""
    change(store, dict.fromkeys(_object_keys(store, note)))


def remove(store: ObjectStore, note: Note) -> None:
    """Take the note itself away, once nothing else is left of its import."""
    obstore.delete(store, landing.import_key(note.name))


def _object_keys(store: ObjectStore, note: Note) -> list[str]:
    listed: Iterable[RawObject]
    if note.finished_at and note.first_hour and note.last_hour:
        listed = objects.list_hours(store, note.first_hour, note.last_hour + HOUR)
    else:  # it was cut off, and nobody knows where
        listed = objects.list_all(store)
    return [raw.key for raw in listed if landing.import_of(raw.key) == note.name]
