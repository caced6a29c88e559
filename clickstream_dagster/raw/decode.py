"""The lines of one raw object -> its events and its rejects. Nothing that an object holds can raise from here: a truncated
gzip, a zero-byte object or a poison line costs only itself."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from clickstream_dagster.partitions import last_moment_of_object
from clickstream_dagster.raw.bodies import Body
from clickstream_dagster.raw.erased import Erased
from clickstream_dagster.raw.lines import MAX_LINE_BYTES, numbered_lines
from clickstream_dagster.raw.objects import RawObject
from ingest_lambda import canary, contract, fields, landing, normalize, rejects, rereading
from ingest_lambda.contract import Event, Reject, Rejection

#: A part of an object holds no more than this, but for its last line.
PART_LINES = 2_000
PART_BYTES = 4_000_000
MONEY_LIMIT = Decimal(fields.MAX_MONEY)
_NUL = b"\\u0000"


@dataclass
class Decoded:
    """A part of one object, decoded. `line_count` counts what was received, on its own: events + rejects + erased must come
    to the same. `erased` are the numbers of the lines of those who were erased. `size` is the bytes of its lines."""

    raw: RawObject
    content_hash: UUID
    line_count: int = 0
    events: list[tuple[int, Event]] = field(default_factory=list)
    rejects: list[tuple[int, Rejection]] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    size: int = 0


def decode_object(body: Body, erased: Erased | None = None) -> Iterator[Decoded]:
    """Decode one object, in parts that memory holds whatever its size; at least one. An object under `rejected/` holds what
    the collector refused: its lines are rejects, but for those that the rules of now accept. Nothing is kept of the lines of
    those who were `erased`."""
    raw = body.raw
    try:
        yield from _parts(body, erased)
    except Reject as reject:
        rejection = Rejection(reject.code, reject.message, raw.hour)
        yield Decoded(raw, body.content_hash, 1, rejects=[(1, rejection)])


def _parts(body: Body, erased: Erased | None) -> Iterator[Decoded]:
    raw = body.raw
    is_rejected = raw.key.startswith("rejected/")
    said: Counter[bytes] = Counter()
    part = Decoded(raw, body.content_hash)
    for number, line in numbered_lines(body.file):
        if part.line_count >= PART_LINES or part.size >= PART_BYTES:
            yield part
            part = Decoded(raw, body.content_hash)
        part.line_count += 1
        part.size += len(line)
        try:
            if len(line) > MAX_LINE_BYTES:
                raise Reject("too_large", f"A line may have {MAX_LINE_BYTES:,} bytes. Write each event on a line.")
            if is_rejected:
                _take_refused(part, number, line, said, erased)
                continue
            event = _counted(_event(raw, line, said))
            if erased and erased.is_of(event):
                part.erased.append(number)
            else:
                part.events.append((number, event))
        except Reject as reject:
            _add_reject(part, number, line, rejects.rejection(reject, line, raw.hour), erased)
    yield part


def _take_refused(part: Decoded, number: int, line: bytes, said: Counter[bytes], erased: Erased | None) -> None:
    """A refused line is an event once the rules take it. What an import refused stays refused: it is imported again."""
    kept = _rejection(line)
    event = None
    if not landing.import_of(part.raw.key):
        with suppress(Reject):
            event = _counted(rereading.event_of(kept, lambda: _event_id(part.raw, line, said)))
    if event is None:
        _add_reject(part, number, line, kept, erased)
    elif erased and (erased.is_of(event) or _is_named(line, kept, erased)):
        part.erased.append(number)
    else:
        part.events.append((number, event))


def _add_reject(part: Decoded, number: int, line: bytes, rejection: Rejection, erased: Erased | None) -> None:
    if erased and _is_named(line, rejection, erased):
        part.erased.append(number)
    else:
        part.rejects.append((number, rejection))


def _is_named(line: bytes, rejection: Rejection, erased: Erased) -> bool:
    """It may be the end of a long line that names who sent it, or a body in base64."""
    return erased.is_named_in(line) or erased.is_named_in(rejected_bytes(rejection))


def rejected_bytes(rejection: Rejection) -> bytes:
    """What is kept of the body, as it was sent."""
    if rejection.body_encoding == "base64":
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(rejection.body)
    return rejection.body.encode(errors="replace")


def _counted(event: Event) -> Event:
    """The event, unless it is of a test visit: that counts in no number, so no table of events ever sees it."""
    if canary.is_name(event.client_id):
        raise Reject(canary.CODE, canary.message(event.client_id or "", event.event_name))
    return event


def _event(raw: RawObject, line: bytes, said: Counter[bytes]) -> Event:
    """The event of a line: the contract's own bytes by the short way, any other dialect through the normalizer."""
    try:
        event = contract.decode(line)
        if _NUL not in line and event.visitor_id and _is_payable(event) and _is_zoned(event):
            return event
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return normalize.accept(
        line,
        received_at=last_moment_of_object(raw.key),
        make_event_id=lambda: _event_id(raw, line, said),
    )


def _event_id(raw: RawObject, line: bytes, said: Counter[bytes]) -> UUID:
    """An id for a line without one, made of what it says, so that it keeps it when the object is written again. `said`
    counts equal lines: each is an event of its own."""
    digest = hashlib.sha256(line)
    said[digest.digest()] += 1
    return uuid5(NAMESPACE_URL, f"{raw.key}#{digest.hexdigest()}#{said[digest.digest()]}")


def _is_payable(event: Event) -> bool:
    """Money that a numeric column and a sum can hold."""
    product, order = event.product, event.order
    if product and not (_is_money(product.price) and _is_money(product.discount_price)):
        return False
    if event.items and not all(_is_money(item.price) for item in event.items):
        return False
    return order is None or (
        all(map(_is_money, (order.value, order.tax, order.shipping, order.discount)))
        and all(_is_money(item.price) for item in order.items)
    )


def _is_money(amount: Decimal | None) -> bool:
    """Python compares a NaN as neither."""
    if amount is None:
        return True
    return amount.is_finite() and 0 <= amount < MONEY_LIMIT and int(amount.as_tuple().exponent) >= -fields.MAX_DECIMALS


def _is_zoned(event: Event) -> bool:
    """Times as the collector writes them: UTC, in years that a calendar has."""
    return (
        _is_plain(event.event_timestamp)
        and _is_plain(event.received_at)
        and (event.sent_at is None or _is_plain(event.sent_at))
        and (event.client_timestamp is None or _is_plain(event.client_timestamp))
    )


def _is_plain(moment: datetime) -> bool:
    return moment.tzinfo is UTC and 1900 <= moment.year < 2200


def _rejection(line: bytes) -> Rejection:
    try:
        rejection = msgspec.json.decode(line, type=Rejection)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Reject("corrupt_rejection", f"A line under rejected/ cannot be read ({error}).") from error
    if not _is_plain(rejection.received_at):
        raise Reject("corrupt_rejection", "A line under rejected/ has a received_at that is not UTC.")
    return rejects.bounded(rejection)


def fingerprint(event: Event) -> str:
    """A hash of what the visitor did, without when it was sent or received: a retry has the same, a conflict has not."""
    times = event.received_at, event.sent_at, event.client_timestamp, event.time_source, event.event_timestamp
    spoken = event.client_timestamp or (event.event_timestamp if event.time_source == "client" else _EPOCH)
    # Not in a copy of the event: that would cost as much again.
    event.received_at, event.sent_at, event.client_timestamp = _EPOCH, None, None
    event.time_source, event.event_timestamp = "client", spoken
    digest = hashlib.sha256(contract.encode(event)).hexdigest()[:32]
    event.received_at, event.sent_at, event.client_timestamp, event.time_source, event.event_timestamp = times
    return digest


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
