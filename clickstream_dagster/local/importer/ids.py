"""Ids for lines that bring none: made of what the line says and of how often it was said before in the file, so that
importing the file again makes the same ids, and two equal lines of one file stay two events."""

from __future__ import annotations

import hashlib

from ingest_lambda.dialects.tables import EVENT_NAMESPACE

DIGEST_BYTES = 32
#: Stands for the digest of a line that brings its own id.
NO_DIGEST = bytes(DIGEST_BYTES)
_NAMESPACE = EVENT_NAMESPACE.bytes
_BITS = 1 << 29
_MASK = _BITS - 1


def numbered(digest: bytes, number: int) -> str:
    """The id of the line that is the `number`th of its kind: `uuid5` of both, without the object that it makes."""
    name = f"{digest.hex()}#{number}".encode()
    made = hashlib.sha1(_NAMESPACE + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(made[16], 16) & 3]
    return f"{made[:8]}-{made[8:12]}-5{made[13:16]}-{variant}{made[17:20]}-{made[20:32]}"


class LineId:
    """Makes the id of a line, when it needs one, as if it were the first of its kind: who sees all lines mends the others."""

    def __init__(self, line: bytes = b"") -> None:
        self.line = line
        self.digest = NO_DIGEST

    def __call__(self) -> str:
        self.digest = hashlib.sha256(self.line).digest()
        return numbered(self.digest, 1)


class Seen:
    """Which lines were there before, in memory that does not grow with their number: a Bloom filter, and the counts of
    those alone that it takes for known.

    It takes one of 300 million new lines for known after a million, and one of 40,000 after ten million. Such a line is
    counted as its second: its id is as good and as lasting, but another file's copy of the line has another one.
    """

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)
        self._counts: dict[bytes, int] = {}

    def number(self, digest: bytes) -> int:
        """How many such lines there are with this one."""
        bits, random = self._bits, int.from_bytes(digest[:16])
        one, two, three, four = random & _MASK, random >> 32 & _MASK, random >> 64 & _MASK, random >> 96 & _MASK
        known = bits[one >> 3] >> (one & 7) & bits[two >> 3] >> (two & 7) & 1
        if known and bits[three >> 3] >> (three & 7) & bits[four >> 3] >> (four & 7) & 1:
            self._counts[digest] = number = self._counts.get(digest, 1) + 1
            return number
        for place in (one, two, three, four):
            bits[place >> 3] |= 1 << (place & 7)
        return 1
