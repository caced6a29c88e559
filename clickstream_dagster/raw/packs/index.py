"""The index of a pack: which objects it holds, and where. It lies beside the pack as an object of its own."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from uuid import UUID

import msgspec
import obstore
from msgspec import Struct
from obstore.store import ObjectStore

from clickstream_dagster.raw.raw_object import Place, RawObject
from ingest_lambda import landing


class PackBroken(RuntimeError):
    """A pack or its index is not as it was written; the message names it."""


class Member(Struct, omit_defaults=True):
    """An object that was packed: its key's last part, what the listing said of it, the hash of its bytes, and which bytes of
    which block say the same. `unpacked_hash` is theirs, where the object was compressed."""

    name: str
    etag: str
    size: int
    content_hash: UUID
    block: int
    start: int
    length: int
    unpacked_hash: UUID | None = None


class Index(Struct, omit_defaults=True):
    """`block_ends` are the places in the pack where its blocks end: each is a gzip stream of its own. `replaces` names the
    packs in the same folder that do not count any more beside this one."""

    block_ends: list[int]
    members: list[Member]
    replaces: list[str] = []

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """Where each block begins and ends."""
        return list(pairwise([0, *self.block_ends]))


def name_of(index: Index) -> str:
    """What a pack is called: a hash of all that its index says, and so of all that it holds."""
    return hashlib.sha256(msgspec.json.encode(index)).hexdigest()[:32]


def encode(index: Index) -> bytes:
    """An index as it is stored."""
    return gzip.compress(msgspec.json.encode(index), mtime=0)


def read_index(store: ObjectStore, pack: str) -> Index:
    """The index of a pack. Raises `FileNotFoundError`, or `PackBroken`."""
    key = landing.pack_index_key(pack)
    data = bytes(obstore.get(store, key).bytes())
    try:
        index = msgspec.json.decode(gzip.decompress(data), type=Index)
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise PackBroken(f"{key} cannot be read ({error}). Restore it from a backup or an older version.") from error
    if f"packed-{name_of(index)}." not in key:
        raise PackBroken(f"{key} is not what was written there. Restore it from a backup or an older version.")
    return index


def members_of(pack: str, index: Index, hour: datetime) -> Iterator[RawObject]:
    """The objects that a pack holds, as their own listing showed them."""
    folder, blocks = pack.rpartition("/")[0], index.blocks
    for one in index.members:
        first, end = blocks[one.block]
        hashes = one.content_hash, one.unpacked_hash or one.content_hash
        place = Place(pack, first, end, one.start, one.length, *hashes)
        yield RawObject(f"{folder}/{one.name}", one.etag, one.size, hour, place)
