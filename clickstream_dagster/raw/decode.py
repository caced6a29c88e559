"""The bytes of one raw object -> its events and its rejects. Nothing that an object holds can raise from here: a truncated
gzip, a zero-byte object or a poison line costs only itself."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from clickstream_dagster.partitions import last_moment_of_object
from clickstream_dagster.raw.objects import RawObject
from ingest_lambda import contract, fields, normalize, rejects
from ingest_lambda.contract import Event, Reject, Rejection

#: A bomb must not take the loader with it.
MAX_OBJECT_BYTES = 256_000_000
MONEY_LIMIT = Decimal(fields.MAX_MONEY)
_NUL = b"\\u0000"


@dataclass
class Decoded:
    """One object, decoded. `line_count` counts what was received, on its own: events + rejects must come to the same."""

    raw: RawObject
    content_hash: UUID
    line_count: int = 0
    events: list[tuple[int, Event]] = field(default_factory=list)
    rejects: list[tuple[int, Rejection]] = field(default_factory=list)


def decode_object(raw: RawObject, data: bytes) -> Decoded:
    """Decode one object. An object under `rejected/` holds what the collector refused: its lines are rejects."""
    result = Decoded(raw, UUID(bytes=hashlib.sha256(data).digest()[:16]))
    try:
        lines = _lines(_decompress(raw.key, data))
    except Reject as reject:
        result.line_count = 1
        result.rejects.append((1, Rejection(reject.code, reject.message, raw.hour)))
        return result
    result.line_count = len(lines)
    is_rejected = raw.key.startswith("rejected/")
    said: Counter[bytes] = Counter()
    for number, line in lines:
        try:
            if is_rejected:
                result.rejects.append((number, _rejection(line)))
            else:
                said[line] += 1
                result.events.append((number, _event(raw, line, said[line])))
        except Reject as reject:
            result.rejects.append((number, rejects.rejection(reject, line, raw.hour)))
    return result


def _decompress(key: str, data: bytes) -> bytes:
    if not data:
        raise Reject("empty_object", "The object has no bytes; the writer was cut off. Write it again under a new key.")
    if data[:2] != b"\x1f\x8b":
        return data
    parts: list[bytes] = []
    room = MAX_OBJECT_BYTES
    while data:  # a file that was appended to has several members
        inflater = zlib.decompressobj(wbits=31)
        try:
            parts.append(inflater.decompress(data, room))
        except zlib.error as error:
            raise Reject(
                "invalid_gzip", f"The object is not valid gzip ({error}). Write it again under a new key."
            ) from error
        room -= len(parts[-1])
        if inflater.unconsumed_tail or not room:
            raise Reject("too_large", f"The object unpacks to more than {MAX_OBJECT_BYTES:,} bytes. Write it in parts.")
        if not inflater.eof:
            raise Reject("invalid_gzip", "The gzip stream ends early. Write the object again under a new key.")
        data = inflater.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _lines(text: bytes) -> list[tuple[int, bytes]]:
    """Numbered lines. An object that is one JSON document over several lines, or an array, gives its events."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    lines = [(number, line.strip()) for number, line in enumerate(text.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise Reject(
            "empty_object", "The object holds no event; the writer was cut off. Write it again under a new key."
        )
    if lines[0][1][:1] == b"[" or (len(lines) > 1 and not _is_json(lines[0][1])):
        document = _document(text)
        if document:
            return list(enumerate(document, 1))
    return lines


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _document(text: bytes) -> list[bytes] | None:
    try:
        if text.lstrip()[:1] == b"[":
            return [bytes(part) for part in msgspec.json.decode(text, type=list[msgspec.Raw])]
        return [bytes(msgspec.json.decode(text, type=msgspec.Raw))]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _event(raw: RawObject, line: bytes, occurrence: int) -> Event:
    """The event of a line: the contract's own bytes by the short way, any other dialect through the normalizer. A line
    without an id gets one that is made of what it says, so that it keeps it when the object is written again."""
    try:
        event = contract.decode(line)
        if _NUL not in line and event.visitor_id and _is_payable(event) and _is_zoned(event):
            return event
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return normalize.accept(
        line,
        received_at=last_moment_of_object(raw.key),
        make_event_id=lambda: uuid5(NAMESPACE_URL, f"{raw.key}#{hashlib.sha256(line).hexdigest()}#{occurrence}"),
    )


def _is_payable(event: Event) -> bool:
    """Money that a numeric column and a sum can hold. Python compares a NaN as neither."""
    return all(
        amount.is_finite() and 0 <= amount < MONEY_LIMIT and int(amount.as_tuple().exponent) >= -fields.MAX_DECIMALS
        for amount in _amounts(event)
    )


def _is_zoned(event: Event) -> bool:
    """Times as the collector writes them: UTC, in years that a calendar has."""
    moments = (event.event_timestamp, event.received_at, event.sent_at, event.client_timestamp)
    return all(moment is None or _is_plain(moment) for moment in moments)


def _is_plain(moment: datetime) -> bool:
    return not moment.utcoffset() and moment.tzinfo is not None and 1900 <= moment.year < 2200


def _amounts(event: Event) -> Iterator[Decimal]:
    if event.product:
        yield from (amount for amount in (event.product.price, event.product.discount_price) if amount is not None)
    if event.order:
        yield from (item.price for item in event.order.items if item.price is not None)
        if event.order.value is not None:
            yield event.order.value


def _rejection(line: bytes) -> Rejection:
    try:
        rejection = msgspec.json.decode(line, type=Rejection)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Reject("corrupt_rejection", f"A line under rejected/ cannot be read ({error}).") from error
    if not _is_plain(rejection.received_at):
        raise Reject("corrupt_rejection", "A line under rejected/ has a received_at that is not UTC.")
    return rejects.bounded(rejection)


def fingerprint(event: Event) -> UUID:
    """A hash of what the visitor did, without when it was sent or received: a retry has the same, a conflict has not."""
    spoken = event.client_timestamp or (event.event_timestamp if event.time_source == "client" else _EPOCH)
    bare = msgspec.structs.replace(
        event, received_at=_EPOCH, sent_at=None, client_timestamp=None, time_source="client", event_timestamp=spoken
    )
    return UUID(bytes=hashlib.sha256(contract.encode(bare)).digest()[:16])


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
