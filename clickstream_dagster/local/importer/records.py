"""From a piece of a file to its event, or to the reason why it is none. A broken one costs only itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import msgspec

from clickstream_dagster.local.importer.envelopes import enveloped
from clickstream_dagster.local.importer.formats import FORMATS
from clickstream_dagster.local.importer.ids import NO_DIGEST, LineId
from clickstream_dagster.local.importer.orders import Row
from clickstream_dagster.local.importer.status import LeftOut
from ingest_lambda import normalize
from ingest_lambda.contract import Event, Reject
from ingest_lambda.reading import draft_line
from ingest_lambda.settings import CLOCK_SKEW_BOUND
from ingest_lambda.settling import Receipt

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

_exact = msgspec.json.Encoder(decimal_format="number")

Piece = bytes | Row


class Record(NamedTuple):
    """What became of a piece, or of a part of it. `digest` is what its id was made of (`ids.py`), or `NO_DIGEST`."""

    outcome: Event | Reject | LeftOut
    digest: bytes = NO_DIGEST


class Reader(Protocol):
    """Reads the pieces of one file."""

    def read(self, piece: Piece) -> list[Record]:
        """What a piece says."""
        ...


class JsonReader:
    """Reads lines of JSON, in any dialect that the collector takes."""

    def read(self, piece: Piece) -> list[Record]:
        """What a line says."""
        assert isinstance(piece, bytes)
        line = piece.strip()
        try:
            events = enveloped(line)
        except Reject as reject:
            return [Record(reject)]
        return [accept(_exact.encode(event)) for event in events] if events else [accept(line)]


class LineReader:
    """Reads lines of a format of its own (`formats.py`)."""

    def __init__(self, name: str) -> None:
        self._record = FORMATS[name]

    def read(self, piece: Piece) -> list[Record]:
        """What a line says."""
        assert isinstance(piece, bytes)
        try:
            record = self._record(piece.strip(b" \r\n"))  # a tab at an end parts two empty columns
        except Reject as reject:
            return [Record(reject)]
        return [Record(record) if isinstance(record, LeftOut) else accept(_exact.encode(record))]


def accept(line: bytes) -> Record:
    """What a line of JSON says."""
    make_id = LineId(line)
    receipt = Receipt(None, make_event_id=make_id, event_id_policy="uuid5", is_trusted=True)
    try:
        event = _event(line, receipt)
    except Reject as reject:
        return Record(reject)
    return Record(in_time(event), make_id.digest)


def _event(line: bytes, receipt: Receipt) -> Event:
    try:
        return normalize.accept_draft(draft_line(line), receipt)
    except Reject as reject:
        read = draft_line(line) if reject.code == "missing_visitor" else None
        if read is None or "order.id" not in read.values:
            raise
        # A guest's order, or one of an e-mail address that is not kept: the order is a visitor of its own, called as no
        # customer is.
        read.values["session_id"] = f"order:{read.values['order.id']}"
        return normalize.accept_draft(read, receipt)


def in_time(event: Event) -> Event | Reject:
    """The hour that it is stored in must have a partition, and its day a place in the tables."""
    latest = datetime.now(UTC) + CLOCK_SKEW_BOUND
    if EARLIEST <= event.event_timestamp <= latest and EARLIEST <= event.received_at <= latest:
        return event
    is_event = not EARLIEST <= event.event_timestamp <= latest
    name, moment = ("event_timestamp", event.event_timestamp) if is_event else ("received_at", event.received_at)
    return Reject("invalid_timestamp", f"{name}: {moment:%Y-%m-%d} is not between {EARLIEST:%Y} and now")
