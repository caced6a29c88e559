"""The raw bucket: which objects an hour has. Those that lie in packs are among them (`packs/`), whoever lists.

Synchronous obstore calls in threads, because its async side can abort a process at exit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore

from clickstream_dagster import partitions
from clickstream_dagster.raw.packs.listing import Folder, Known, no_pack_is_known, with_members
from clickstream_dagster.raw.raw_object import RawObject
from clickstream_dagster.settings import (
    BATCH_BYTES,
    BATCH_OBJECTS,
    GZIP_RATIO,
    PAGE_KEYS,
    READ_THREADS,
)
from ingest_lambda import landing

__all__ = [
    "RawObject",
    "batches",
    "folder_of",
    "list_all",
    "list_as_stored",
    "list_folder",
    "list_from",
    "list_hours",
    "weight",
]

#: What else has a place in the store.
_NOTES = (landing.operations_hour, landing.noted_import, landing.noted_erasure, landing.is_lake_key)


def list_hours(store: ObjectStore, start: datetime, end: datetime, known: Known = no_pack_is_known) -> list[RawObject]:
    """Every object of the hours from `start` up to `end`, by key. What lies in packs that are `known` may be left out."""
    return sorted(with_members(store, list_as_stored(store, start, end), known))


def list_as_stored(store: ObjectStore, start: datetime, end: datetime) -> list[RawObject]:
    """The same with packs and their indexes as the objects that they are."""
    with ThreadPoolExecutor(READ_THREADS) as pool:
        whole = list(pool.map(lambda prefix: _list(store, prefix), partitions.prefixes_of(start, end)))
        flat = list(pool.map(lambda prefix: _list_flat(store, prefix), partitions.day_only_prefixes(start, end)))
    found = {found.key: found for listing in (*whole, *flat) for found in listing if start <= found.hour < end}
    return sorted(found.values())


def list_folder(store: ObjectStore, prefix: str) -> Folder:
    """What lies under an hour's prefix, as it is stored, by key: a folder is listed in no order."""
    folder = Folder()
    for raw in sorted(_list(store, prefix)):
        folder.put(raw)
    return folder


def list_all(
    store: ObjectStore, on_stranger: Callable[[str], None] = lambda key: None, known: Known = no_pack_is_known
) -> Iterator[RawObject]:
    """Every object of the bucket that has a known layout, page by page. Keys that have none are told to `on_stranger`."""
    return with_members(store, _known_places(store, on_stranger), known, on_stranger)


def list_from(
    store: ObjectStore, prefix: str, after: str | None, before: str | None = None, known: Known = no_pack_is_known
) -> Iterator[RawObject]:
    """The objects under a prefix with keys after `after` and before `before`, of a bucket that lists by key."""
    return with_members(store, _between(store, prefix, after, before), known)


def folder_of(store: ObjectStore) -> Path | None:
    """The folder behind a store; None when it is a bucket."""
    return Path(store.prefix) if isinstance(store, LocalStore) and store.prefix else None


def batches(objects: Iterable[RawObject]) -> Iterator[list[RawObject]]:
    """Objects in groups that one transaction can hold."""
    group: list[RawObject] = []
    size = 0
    for found in objects:
        if group and (len(group) >= BATCH_OBJECTS or size + weight(found) > BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(found)
        size += weight(found)
    if group:
        yield group


def weight(raw: RawObject) -> int:
    """About how many bytes an object unpacks to."""
    return raw.size * (GZIP_RATIO if raw.key.endswith(".gz") else 1)


def _known_places(store: ObjectStore, on_stranger: Callable[[str], None]) -> Iterator[RawObject]:
    for page in obstore.list(store):
        for meta in page:
            raw = _raw_object(meta)
            if raw:
                yield raw
            elif not any(place(meta["path"]) for place in _NOTES):
                on_stranger(meta["path"])


def _between(store: ObjectStore, prefix: str, after: str | None, before: str | None) -> Iterator[RawObject]:
    for page in obstore.list(store, prefix=prefix, offset=after, chunk_size=PAGE_KEYS):
        for meta in page:
            if before and meta["path"] >= before:
                return
            raw = _raw_object(meta)
            if raw:
                yield raw


def _list(store: ObjectStore, prefix: str | None) -> list[RawObject]:
    return [raw for page in obstore.list(store, prefix=prefix) for meta in page if (raw := _raw_object(meta))]


def _list_flat(store: ObjectStore, prefix: str) -> list[RawObject]:
    return [raw for meta in obstore.list_with_delimiter(store, prefix)["objects"] if (raw := _raw_object(meta))]


def _raw_object(meta: obstore.ObjectMeta) -> RawObject | None:
    hour = partitions.hour_of_object(meta["path"])
    return RawObject(meta["path"], meta["e_tag"] or "", meta["size"], hour) if hour else None
