"""An object of the raw store, and where a pack holds it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


def content_hash(data: bytes) -> UUID:
    """What tells one content from another: SHA-256 of the bytes, first half."""
    return UUID(bytes=hashlib.sha256(data).digest()[:16])


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a pack. Its bytes from `first` to `end` unpack to a block; `start` and `length` are of the block. The bytes
    there have the hash `unpacked_hash`, and those of the object as it was stored `content_hash`."""

    pack: str
    first: int
    end: int
    start: int
    length: int
    content_hash: UUID
    unpacked_hash: UUID


@dataclass(frozen=True, order=True, slots=True)
class RawObject:
    """One object as the listing shows it, or showed it before it was packed: then `packed` is where it is now. `hour` is the
    partition its key puts it in."""

    key: str
    etag: str
    size: int
    hour: datetime
    packed: Place | None = field(default=None, compare=False)
