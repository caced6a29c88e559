"""The raw bucket: which objects an hour has, and their bytes.

Synchronous obstore calls in threads, because its async side can abort a process at exit.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple
from uuid import UUID

import obstore
from obstore.store import ObjectStore

from clickstream_dagster import partitions
from clickstream_dagster.settings import (
    BATCH_BYTES,
    BATCH_OBJECTS,
    GZIP_RATIO,
    HELD_OBJECT_BYTES,
    PAGE_KEYS,
    READ_THREADS,
)
from ingest_lambda import landing


@dataclass(frozen=True, order=True, slots=True)
class RawObject:
    """One object as the listing shows it. `hour` is the partition its key puts it in."""

    key: str
    etag: str
    size: int
    hour: datetime


class Body(NamedTuple):
    """The bytes of an object, in memory or, if large, in a file without a name, and the hash that tells one content from
    another. Closed when the next one is asked for."""

    raw: RawObject
    file: BinaryIO
    content_hash: UUID


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
            elif not landing.operations_hour(meta["path"]):
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


def read(store: ObjectStore, objects: Iterable[RawObject]) -> Iterator[Body]:
    """The bytes of each object, read concurrently, in the order given. An object that vanished meanwhile is left out:
    nothing of it was received."""
    with ThreadPoolExecutor(READ_THREADS) as pool:
        for body in pool.map(lambda raw: _body(store, raw), objects):
            if body is not None:
                with body.file:
                    yield body


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


def _body(store: ObjectStore, raw: RawObject) -> Body | None:
    try:
        found = obstore.get(store, raw.key)
    except FileNotFoundError:
        return None
    file: BinaryIO
    if found.meta["size"] <= HELD_OBJECT_BYTES:
        file = io.BytesIO(bytes(found.bytes()))
    else:
        file = TemporaryFile()  # noqa: SIM115 - closed by `read`
        for chunk in found.stream():
            file.write(chunk)
        file.seek(0)
    content_hash = UUID(bytes=hashlib.file_digest(file, "sha256").digest()[:16])
    file.seek(0)
    return Body(raw, file, content_hash)


def _list(store: ObjectStore, prefix: str | None) -> list[RawObject]:
    return [raw for page in obstore.list(store, prefix=prefix) for meta in page if (raw := _raw_object(meta))]


def _list_flat(store: ObjectStore, prefix: str) -> list[RawObject]:
    return [raw for meta in obstore.list_with_delimiter(store, prefix)["objects"] if (raw := _raw_object(meta))]


def _raw_object(meta: obstore.ObjectMeta) -> RawObject | None:
    hour = partitions.hour_of_object(meta["path"])
    return RawObject(meta["path"], meta["e_tag"] or "", meta["size"], hour) if hour else None
