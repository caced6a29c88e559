"""From a piece of a file (a line, a row, an order) to its event, or to the reason why it is none. A broken one costs only
itself."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from clickstream_dagster.local.importer.cells import Cells
from clickstream_dagster.local.importer.formats import FORMATS
from clickstream_dagster.local.importer.ids import NO_DIGEST, LineId
from clickstream_dagster.local.importer.mapping import Field, Mapping
from clickstream_dagster.local.importer.orders import Row
from clickstream_dagster.local.importer.plan import NotPlain, Plan
from clickstream_dagster.local.importer.rows import Rows
from clickstream_dagster.local.importer.sniffing import Layout
from ingest_lambda import normalize
from ingest_lambda.contract import ORDER_EVENTS, Event, Reject
from ingest_lambda.settings import CLOCK_SKEW_BOUND

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

_exact = msgspec.json.Encoder(decimal_format="number")

Piece = bytes | Row


class Record(NamedTuple):
    """What became of a piece; no outcome where it is no event and nothing is lost. `digest` is what its id was made of
    (`ids.py`), or `NO_DIGEST`."""

    outcome: Event | Reject | None
    digest: bytes = NO_DIGEST


class Reader(Protocol):
    """Reads the pieces of one file."""

    def read(self, piece: Piece) -> Record:
        """What a piece says."""
        ...


class JsonReader:
    """Reads lines of JSON, in any dialect that the collector takes."""

    def read(self, piece: Piece) -> Record:
        """What a line says."""
        assert isinstance(piece, bytes)
        return _accept(piece.strip())


class LineReader:
    """Reads lines of a format of its own (`formats.py`)."""

    def __init__(self, name: str) -> None:
        self._record = FORMATS[name]

    def read(self, piece: Piece) -> Record:
        """What a line says."""
        assert isinstance(piece, bytes)
        try:
            record = self._record(piece.strip(b" \r\n"))  # a tab at an end parts two empty columns
        except Reject as reject:
            return Record(reject)
        return Record(None) if record is None else _accept(_exact.encode(record))


class CsvReader:
    """Reads rows of a CSV, and orders that have several. `is_short` False: by the long way only."""

    def __init__(self, mapping: Mapping, layout: Layout, *, is_short: bool = True) -> None:
        self.mapping, self.layout = mapping, layout
        self.rows = Rows(layout.delimiter)
        self.cells = Cells(mapping, layout.decimal, layout.zone)
        self.places = {name: place for place, name in enumerate(layout.header)}
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

    def read(self, piece: Piece) -> Record:
        """What a row says, or the rows of an order."""
        row = piece if isinstance(piece, Row) else self.row(piece)
        cells = row.outcome
        if isinstance(cells, Reject):
            return Record(cells)
        if self.plan and (found := self.plan.event(cells)):
            return Record(_in_time(found[0]), found[1])
        return self._read(row, cells)

    def _read(self, row: Row, cells: list[str]) -> Record:
        try:
            record = self._record(cells, self.mapping.fields)
            items = [self._record(line, self.mapping.lines).get("line") for line in row.lines]
        except Reject as reject:
            return Record(reject)
        if items := [item for item in items if item]:
            is_order = record.get("event_name") in ORDER_EVENTS
            (record.setdefault("order", {}) if is_order else record)["items"] = items
        found = _accept(msgspec.json.encode(record))
        order_id = record.get("order", {}).get("id")
        if order_id and isinstance(found.outcome, Reject) and found.outcome.code == "missing_visitor":
            # A guest's order, or an e-mail address that is not kept: the order is a visitor of its own.
            return _accept(msgspec.json.encode({**record, "session_id": order_id}))
        return found

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
    try:
        event = normalize.accept(line, received_at=None, make_event_id=make_id, event_id_policy="uuid5")
    except Reject as reject:
        return Record(reject)
    return Record(_in_time(event), make_id.digest)


def _in_time(event: Event) -> Event | Reject:
    """The hour that it is stored in must have a partition, and its day a place in the tables."""
    latest = datetime.now(UTC) + CLOCK_SKEW_BOUND
    if EARLIEST <= event.event_timestamp <= latest and EARLIEST <= event.received_at <= latest:
        return event
    is_event = not EARLIEST <= event.event_timestamp <= latest
    name, moment = ("event_timestamp", event.event_timestamp) if is_event else ("received_at", event.received_at)
    return Reject("invalid_timestamp", f"{name}: {moment:%Y-%m-%d} is not between {EARLIEST:%Y} and now")
