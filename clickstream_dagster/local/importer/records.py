"""From a piece of a file (a line, a row, an order) to its event, or to the reason why it is none. A broken one costs only
itself."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from clickstream_dagster.local.importer.cells import Cells
from clickstream_dagster.local.importer.envelopes import enveloped
from clickstream_dagster.local.importer.formats import FORMATS
from clickstream_dagster.local.importer.ids import NO_DIGEST, LineId
from clickstream_dagster.local.importer.mapping import Field, Mapping
from clickstream_dagster.local.importer.orders import Row
from clickstream_dagster.local.importer.plan import NotPlain, Plan
from clickstream_dagster.local.importer.rows import Rows
from clickstream_dagster.local.importer.sniffing import Layout
from clickstream_dagster.local.importer.status import LeftOut, Status
from ingest_lambda import normalize
from ingest_lambda.contract import ORDER_EVENTS, Event, Reject
from ingest_lambda.reading import draft, parse
from ingest_lambda.settings import CLOCK_SKEW_BOUND
from ingest_lambda.settling import Receipt

_RETURN = Reject(
    "invalid_quantity",
    "every line of the order is below zero, so that it is no purchase: call it refund, with the id of the order that it is "
    "of, or leave it out (leave_out: in the mapping)",
)
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
        return [_accept(_exact.encode(event)) for event in events] if events else [_accept(line)]


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
        return [Record(record) if isinstance(record, LeftOut) else _accept(_exact.encode(record))]


class CsvReader:
    """Reads rows of a CSV, and orders that have several. `is_short` False: by the long way only."""

    def __init__(self, mapping: Mapping, layout: Layout, *, is_short: bool = True) -> None:
        self.mapping, self.layout = mapping, layout
        self.rows = Rows(layout.delimiter)
        self.cells = Cells(mapping, layout.decimal, layout.zone, is_sure=layout.decimal_is_said)
        self.places = {name: place for place, name in enumerate(layout.header)}
        self.status = Status(mapping, self.cells, self.places)
        self.plan = self._plan() if is_short and not mapping.lines else None

    def _plan(self) -> Plan | None:
        try:
            return Plan(self.cells, self.mapping.fields, self.places, len(self.layout.header))
        except NotPlain:
            return None

    def row(self, text: bytes) -> Row:
        """A row with its cells, or with the reason why it has none."""
        try:
            if self.rows.is_open(text):
                return Row([text], Reject("invalid_row", "the row opens a quote that nothing closes: mend or drop it"))
            cells = self.rows.cells(text)
        except (UnicodeDecodeError, csv.Error) as error:
            return Row([text], Reject("invalid_row", f"the row cannot be read as CSV in UTF-8: {error}"))
        wanted = len(self.layout.header)
        if len(cells) != wanted:
            said = f"the row has {len(cells)} cells, the header {wanted}: mend or drop it"
            return Row([text], Reject("invalid_row", said))
        return Row([text], cells)

    def read(self, piece: Piece) -> list[Record]:
        """What a row says, or the rows of an order; and what was given back of it."""
        row = piece if isinstance(piece, Row) else self.row(piece)
        cells = row.outcome
        if isinstance(cells, Reject):
            return [Record(cells)]
        if left_out := self.status.left_out(cells):
            return [Record(left_out)]
        if self.plan and (found := self.plan.event(cells)):
            first = Record(_in_time(found[0]), found[1])
        else:
            first = self._read(row, cells)
        return self._with_refund(first, cells) if self.mapping.refund or self.mapping.refund_when else [first]

    def _with_refund(self, first: Record, cells: list[str]) -> list[Record]:
        try:
            given_back = self.status.refund(first.outcome, cells) if isinstance(first.outcome, Event) else None
        except Reject as reject:
            return [first, Record(reject)]
        return [first, _accept(msgspec.json.encode(given_back))] if given_back else [first]

    def _read(self, row: Row, cells: list[str]) -> Record:
        try:
            record = self._record(cells, self.mapping.fields)
            items = [self._record(line, self.mapping.lines).get("line") for line in row.lines]
        except Reject as reject:
            return Record(reject)
        if items := [item for item in items if item]:
            is_order = record.get("event_name") in ORDER_EVENTS
            if record.get("event_name") == "purchase" and all(
                str(item.get("quantity")).startswith("-") for item in items
            ):
                return Record(_RETURN)
            (record.setdefault("order", {}) if is_order else record)["items"] = items
        return _accept(msgspec.json.encode(record))

    def _record(self, cells: list[str], fields: tuple[Field, ...]) -> dict[str, Any]:
        return make_record(self.cells, fields, self.places, cells)


def make_record(reader: Cells, fields: tuple[Field, ...], places: dict[str, int], cells: list[str]) -> dict[str, Any]:
    """What the cells of a row mean, in the contract's words. An empty cell is an absent field."""
    record: dict[str, Any] = {}
    for field in fields:
        if field.column is not None and field.column not in places:
            continue  # an optional column
        value = reader.read(field, str(field.value) if field.column is None else cells[places[field.column]])
        if value is not None:
            parent, _, name = field.path.partition(".")
            (record.setdefault(parent, {}) if name else record)[name or parent] = value
    return record


def _accept(line: bytes) -> Record:
    make_id = LineId(line)
    receipt = Receipt(None, make_event_id=make_id, event_id_policy="uuid5", is_trusted=True)
    try:
        event = _event(line, receipt)
    except Reject as reject:
        return Record(reject)
    return Record(_in_time(event), make_id.digest)


def _event(line: bytes, receipt: Receipt) -> Event:
    try:
        return normalize.accept_draft(draft(parse(line)), receipt)
    except Reject as reject:
        read = draft(parse(line)) if reject.code == "missing_visitor" else None
        if read is None or "order.id" not in read.values:
            raise
        # A guest's order, or one of an e-mail address that is not kept: the order is a visitor of its own, called as no
        # customer is.
        read.values["session_id"] = f"order:{read.values['order.id']}"
        return normalize.accept_draft(read, receipt)


def _in_time(event: Event) -> Event | Reject:
    """The hour that it is stored in must have a partition, and its day a place in the tables."""
    latest = datetime.now(UTC) + CLOCK_SKEW_BOUND
    if EARLIEST <= event.event_timestamp <= latest and EARLIEST <= event.received_at <= latest:
        return event
    is_event = not EARLIEST <= event.event_timestamp <= latest
    name, moment = ("event_timestamp", event.event_timestamp) if is_event else ("received_at", event.received_at)
    return Reject("invalid_timestamp", f"{name}: {moment:%Y-%m-%d} is not between {EARLIEST:%Y} and now")
