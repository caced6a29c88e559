"""From a row of a CSV, or the rows of an order, to its event, or to the reason why it is none."""

from __future__ import annotations

import csv
from typing import Any

import msgspec

from clickstream_dagster.local.importer.cells import Cells
from clickstream_dagster.local.importer.mapping import Field, Mapping
from clickstream_dagster.local.importer.orders import Row
from clickstream_dagster.local.importer.plan import NotPlain, Plan
from clickstream_dagster.local.importer.records import Piece, Record, accept, in_time
from clickstream_dagster.local.importer.rows import Rows
from clickstream_dagster.local.importer.sniffing import Layout
from clickstream_dagster.local.importer.status import Status
from ingest_lambda.contract import ORDER_EVENTS, Event, Reject

_RETURN = Reject(
    "invalid_quantity",
    "every line of the order is below zero, so that it is no purchase: call it refund, with the id of the order that it is "
    "of, or leave it out (leave_out: in the mapping)",
)


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
        found = self.plan.event(cells) if self.plan else None
        first = Record(in_time(found[0]), found[1]) if found else self._read(row, cells)
        return self._with_refund(first, cells) if self.mapping.refund or self.mapping.refund_when else [first]

    def _with_refund(self, first: Record, cells: list[str]) -> list[Record]:
        try:
            given_back = self.status.refund(first.outcome, cells) if isinstance(first.outcome, Event) else None
        except Reject as reject:
            return [first, Record(reject)]
        return [first, accept(msgspec.json.encode(given_back))] if given_back else [first]

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
        return accept(msgspec.json.encode(record))

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
