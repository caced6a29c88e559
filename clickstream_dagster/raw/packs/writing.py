"""Write packs, a block at a time: the memory is that of a block, and the pack waits in a file until it is whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from tempfile import TemporaryFile
from typing import Any, NamedTuple
from uuid import UUID

import obstore
from msgspec import structs
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, ObjectStore

from clickstream_dagster.raw.packs.index import Index, Member, encode, name_of
from clickstream_dagster.raw.raw_object import RawObject, content_hash
from clickstream_dagster.settings import PACK_BLOCK_BYTES, PACK_BYTES
from ingest_lambda import landing

#: Of gzip. A pack is written once and lies for years.
_LEVEL = 6


class Content(NamedTuple):
    """An object to be packed: the hash of its bytes as they are stored, and these bytes unpacked."""

    raw: RawObject
    content_hash: UUID
    data: bytes


class PackFile:
    """A pack that is being written."""

    def __init__(self) -> None:
        self.file = TemporaryFile()  # noqa: SIM115 - closed by `store`
        self.index = Index([], [])
        self._block: list[bytes] = []
        self._length = 0

    @property
    def size(self) -> int:
        """The bytes of the blocks that are written."""
        return self.index.block_ends[-1] if self.index.block_ends else 0

    def add(self, content: Content) -> None:
        """Add an object behind the others. Where its last line has no end it is given one, so that a pack unpacks to lines."""
        raw, data = content.raw, content.data
        known_hash = content_hash(data)
        self.index.members.append(
            Member(
                name=raw.key.rpartition("/")[2],
                etag=raw.etag,
                size=raw.size,
                content_hash=content.content_hash,
                block=len(self.index.block_ends),
                start=self._length,
                length=len(data),
                unpacked_hash=None if known_hash == content.content_hash else known_hash,
            )
        )
        self._block.append(data if not data or data.endswith(b"\n") else data + b"\n")
        self._length += len(self._block[-1])
        if self._length >= PACK_BLOCK_BYTES:
            self.end_block()

    def end_block(self) -> None:
        """What is added from here on lies in another block."""
        if self._block:
            packer = zlib.compressobj(_LEVEL, wbits=31)
            self._write(packer.compress(b"".join(self._block)) + packer.flush())
            self._block, self._length = [], 0

    def add_block(self, packed: bytes, members: Iterable[Member]) -> None:
        """Take over a block of another pack as it is."""
        self.end_block()
        self.index.members += [structs.replace(one, block=len(self.index.block_ends)) for one in members]
        self._write(packed)

    def store(self, store: ObjectStore, prefix: str, replaces: Iterable[str] = ()) -> str:
        """Store the pack, behind its index: the key of the pack, which counts from then on."""
        self.end_block()
        self.index.replaces = sorted(replaces)
        pack = landing.pack_key(prefix, name_of(self.index))
        put(store, landing.pack_index_key(pack), encode(self.index))
        with self.file:
            self.file.seek(0)
            put(store, pack, self.file)
        return pack

    def _write(self, packed: bytes) -> None:
        self.file.write(packed)
        self.index.block_ends.append(self.size + len(packed))


def write_packs(store: ObjectStore, prefix: str, contents: Iterable[Content]) -> Iterator[str]:
    """Pack objects of one hour's prefix, each pack with `PACK_BYTES` where there is so much: the keys of the packs,
    each of which is stored when it comes."""
    pack = PackFile()
    for content in contents:
        pack.add(content)
        if pack.size >= PACK_BYTES:
            yield pack.store(store, prefix)
            pack = PackFile()
    pack.end_block()
    if pack.size:
        yield pack.store(store, prefix)


def put(store: ObjectStore, key: str, data: Any) -> None:
    """Store what its key is a hash of, so that it stays. In a folder it is on the disk when this returns."""
    if isinstance(store, LocalStore):
        with suppress(AlreadyExistsError):
            store.put(key, data, mode="create")
    else:
        obstore.put(store, key, data)
