"""The raw bucket: which objects an hour has.

Synchronous obstore calls in threads, because its async side can abort a process at exit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore

from clickstream_dagster import partitions
from clickstream_dagster.settings import (
    BATCH_BYTES,
    BATCH_OBJECTS,
    GZIP_RATIO,
    PAGE_KEYS,
    READ_THREADS,
)
from ingest_lambda import landing

#: What else has a place in the store.
_NOTES = (landing.operations_hour, landing.noted_import, landing.noted_erasure)


@dataclass(frozen=True, order=True, slots=True)
class RawObject:
    """One object as the listing shows it. `hour` is the partition its key puts it in."""

    key: str
    etag: str
    size: int
    hour: datetime


def list_hours(store: ObjectStore, start: datetime, end: datetime) -> list[RawObject]:
    """Every object of the hours from `start` up to `end`, by key."""
    with ThreadPoolExecutor(READ_THREADS) as pool:
        whole = list(pool.map(lambda prefix: _list(store, prefix), partitions.prefixes_of(start, end)))
        flat = list(pool.map(lambda prefix: _list_flat(store, prefix), partitions.day_only_prefixes(start, end)))
    found = {found.key: found for listing in (*whole, *flat) for found in listing if start <= found.hour < end}
    return sorted(found.values())


def list_all(store: ObjectStore, on_stranger: Callable[[str], None] = lambda key: None) -> Iterator[RawObject]:
    """Every object of the bucket that has a known layout, page by page. Keys that have none are told to `on_stranger`."""
    for page in obstore.list(store):
        for meta in page:
            raw = _raw_object(meta)
            if raw:
                yield raw
            elif not any(place(meta["path"]) for place in _NOTES):
                on_stranger(meta["path"])


def list_from(store: ObjectStore, prefix: str, after: str | None, before: str | None = None) -> Iterator[RawObject]:
    """The objects under a prefix with keys after `after` and before `before`, of a bucket that lists by key."""
    for page in obstore.list(store, prefix=prefix, offset=after, chunk_size=PAGE_KEYS):
        for meta in page:
            if before and meta["path"] >= before:
                return
            raw = _raw_object(meta)
            if raw:
                yield raw


def folder_of(store: ObjectStore) -> Path | None:
    """The folder behind a store; None when it is a bucket."""
    return Path(store.prefix) if isinstance(store, LocalStore) and store.prefix else None


def batches(objects: Iterable[RawObject]) -> Iterator[list[RawObject]]:
    """Objects in groups that one transaction can hold."""
    group: list[RawObject] = []
    size = 0
    for found in objects:
        weight = found.size * (GZIP_RATIO if found.key.endswith(".gz") else 1)
        if group and (len(group) >= BATCH_OBJECTS or size + weight > BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(found)
        size += weight
    if group:
        yield group


def _list(store: ObjectStore, prefix: str | None) -> list[RawObject]:
    return [raw for page in obstore.list(store, prefix=prefix) for meta in page if (raw := _raw_object(meta))]


def _list_flat(store: ObjectStore, prefix: str) -> list[RawObject]:
    return [raw for meta in obstore.list_with_delimiter(store, prefix)["objects"] if (raw := _raw_object(meta))]


def _raw_object(meta: obstore.ObjectMeta) -> RawObject | None:
    hour = partitions.hour_of_object(meta["path"])
    return RawObject(meta["path"], meta["e_tag"] or "", meta["size"], hour) if hour else None
