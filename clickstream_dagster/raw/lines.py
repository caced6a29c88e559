"""The bytes of one raw object -> its numbered lines. Block by block: an object of any size takes the same memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO

import msgspec

from ingest_lambda.contract import Reject

#: A bomb must not take the loader with it.
MAX_OBJECT_BYTES = 256_000_000
#: A line, or a JSON document over several lines, is held whole; no request that the collector takes is longer.
MAX_LINE_BYTES = 16_000_000
#: What stands in a document for an event whose visitor was erased, so that the others keep their places.
ERASED = b'"erased"'
_READ_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


def numbered_lines(body: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers. An object that is one JSON document over several lines, or an
    array, gives its events. A line that is too long comes cut, one byte longer than `MAX_LINE_BYTES`.

    Raises `Reject`, always before the first line, for an object that is empty or cannot be unpacked whole.
    """
    _check(body)
    found = _split(_blocks(body))
    first = list(islice(found, 2))
    if not first:
        raise Reject(
            "empty_object", "The object holds no event; the writer was cut off. Write it again under a new key."
        )
    document = _as_document(body, first)
    if document:
        yield from ((number, event) for number, event in enumerate(document, 1) if event != ERASED)
    else:
        yield from chain(first, found)


def document_of(body: BinaryIO) -> list[bytes] | None:
    """The events of an object that is one JSON document, or an array; None for one of lines."""
    return _as_document(body, list(islice(_split(_blocks(body)), 2)))


def text_of(body: BinaryIO) -> bytes:
    """The whole text of an object, unpacked."""
    return b"".join(_blocks(body))


def _as_document(body: BinaryIO, first: list[tuple[int, bytes]]) -> list[bytes] | None:
    opening = first[0][1]
    if opening[:1] == b"[" or (len(first) > 1 and not _is_json(opening)):
        return _document(body, opening)
    return None


def unpacked(body: BinaryIO, limit: int) -> bytes | None:
    """The bytes that the lines of an object are cut from. None where they do not say the same in the object's place: it is
    broken, holds nothing, was packed twice, or unpacks to more than `limit` bytes."""
    held = bytearray()
    try:
        for block in _blocks(body):
            held += block
            if len(held) > limit:
                return None
    except Reject:
        return None
    finally:
        body.seek(0)
    return bytes(held) if held and held[:2] != _GZIP else None


def _check(body: BinaryIO) -> None:
    """Unpack a packed object once to its end and keep nothing: no line of it counts when a later byte is broken."""
    body.seek(0)
    head = body.read(2)
    if not head:
        raise Reject("empty_object", "The object has no bytes; the writer was cut off. Write it again under a new key.")
    if head == _GZIP:
        for _ in _inflate(body):
            pass


def _blocks(body: BinaryIO) -> Iterator[bytes]:
    body.seek(0)
    if body.read(2) == _GZIP:
        yield from _inflate(body)
    else:
        body.seek(0)
        yield from iter(lambda: body.read(_BLOCK_BYTES), b"")


def _inflate(body: BinaryIO) -> Iterator[bytes]:
    body.seek(0)
    room = MAX_OBJECT_BYTES
    inflater = zlib.decompressobj(wbits=31)
    data = body.read(_READ_BYTES)
    while True:
        try:
            block = inflater.decompress(data, _BLOCK_BYTES)
        except zlib.error as error:
            raise Reject(
                "invalid_gzip", f"The object is not valid gzip ({error}). Write it again under a new key."
            ) from error
        room -= len(block)
        if room <= 0:
            raise Reject("too_large", f"The object unpacks to more than {MAX_OBJECT_BYTES:,} bytes. Write it in parts.")
        yield block
        if inflater.eof:  # a file that was appended to has several members
            data = _next_member(body, inflater.unused_data)
            if not data:
                return
            inflater = zlib.decompressobj(wbits=31)
        else:
            data = inflater.unconsumed_tail or body.read(_READ_BYTES)
            if not data and not block:
                raise Reject("invalid_gzip", "The gzip stream ends early. Write the object again under a new key.")


def _next_member(body: BinaryIO, data: bytes) -> bytes:
    """What follows a member, without the zeros that some writers pad with."""
    data = data.lstrip(b"\0")
    while not data and (more := body.read(_READ_BYTES)):
        data = more.lstrip(b"\0")
    return data


def _split(blocks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    number, size = 1, 0
    held: list[bytes] = []
    for block in blocks:
        *whole, rest = block.split(b"\n")
        for piece in whole:
            line = _tidy(b"".join((*held, piece)) if held else piece, number)
            if line:
                yield number, line
            number, held, size = number + 1, [], 0
        if rest and size <= MAX_LINE_BYTES:
            held.append(rest)
            size += len(rest)
    line = _tidy(b"".join(held), number)
    if line:
        yield number, line


def _tidy(line: bytes, number: int) -> bytes:
    if number == 1:
        line = line.removeprefix(_BOM)
    return line.strip() if len(line) <= MAX_LINE_BYTES else line[: MAX_LINE_BYTES + 1]


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _document(body: BinaryIO, opening: bytes) -> list[bytes] | None:
    """The events of an object that is one JSON document; None when it is not."""
    text = _whole(body)
    if text is None:
        if opening in (b"[", b"{", b"[{"):
            raise Reject(
                "too_large",
                f"One JSON document over several lines may have {MAX_LINE_BYTES:,} bytes. Write each event on a line.",
            )
        return None
    try:
        if text.lstrip()[:1] == b"[":
            return [bytes(part) for part in msgspec.json.decode(text, type=list[msgspec.Raw])]
        return [bytes(msgspec.json.decode(text, type=msgspec.Raw))]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _whole(body: BinaryIO) -> bytes | None:
    """The whole text; None when it is too long to be held."""
    held = bytearray()
    for block in _blocks(body):
        held += block
        if len(held) > MAX_LINE_BYTES:
            return None
    return bytes(held).removeprefix(_BOM)
