"""The bytes of raw objects."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple
from uuid import UUID

import obstore
from obstore.store import ObjectStore

from clickstream_dagster.raw.objects import RawObject, folder_of
from clickstream_dagster.raw.packs.reading import contents
from clickstream_dagster.settings import HELD_OBJECT_BYTES, READ_THREADS

_BLOCK_BYTES = 1 << 20


class Body(NamedTuple):
    """The bytes of an object, in memory or, if large, in a file, and the hash that tells one content from another. Closed when
    the next one is asked for."""

    raw: RawObject
    file: BinaryIO
    content_hash: UUID


def read(store: ObjectStore, objects: Sequence[RawObject]) -> Iterator[Body]:
    """The bytes of each object, in the order given. An object that vanished meanwhile is left out: nothing of it was
    received. One that lies in a pack comes unpacked, with the hash that it had as it was stored."""
    small = _files(store, [raw for raw in objects if not raw.packed])
    packed = contents(store, [raw for raw in objects if raw.packed])
    for raw in objects:
        if raw.packed:
            yield Body(raw, io.BytesIO(next(packed)), raw.packed.content_hash)
        elif file := next(small):
            with file:
                yield Body(raw, file, _hash(file))


def _files(store: ObjectStore, objects: Sequence[RawObject]) -> Iterator[BinaryIO | None]:
    folder = folder_of(store)
    if folder:  # a file is there at once: a thread for it, or a layer above it, would cost several times as much
        yield from (_open(os.path.join(folder, raw.key), raw.size) for raw in objects)
    else:
        with ThreadPoolExecutor(READ_THREADS) as pool:
            yield from pool.map(lambda raw: _get(store, raw.key), objects)


def _open(path: str, size: int) -> BinaryIO | None:
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed by `read`
    except FileNotFoundError:
        return None
    if size > HELD_OBJECT_BYTES:
        return file
    with file:
        return io.BytesIO(file.read())


def _get(store: ObjectStore, key: str) -> BinaryIO | None:
    try:
        found = obstore.get(store, key)
    except FileNotFoundError:
        return None
    if found.meta["size"] <= HELD_OBJECT_BYTES:
        return io.BytesIO(bytes(found.bytes()))
    file = TemporaryFile()  # noqa: SIM115 - closed by `read`
    for chunk in found.stream():
        file.write(chunk)
    file.seek(0)
    return file


def _hash(file: BinaryIO) -> UUID:
    digest = hashlib.sha256()
    for block in iter(lambda: file.read(_BLOCK_BYTES), b""):
        digest.update(block)
    file.seek(0)
    return UUID(bytes=digest.digest()[:16])
