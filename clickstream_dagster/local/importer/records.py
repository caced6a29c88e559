"""The records of a file: each event of JSON, each row or order of a CSV. A broken one costs only itself."""

from __future__ import annotations

import csv
import hashlib
import mmap
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, cast
from uuid import UUID, uuid5

import msgspec

from clickstream_dagster.local.importer.cells import Cells
from clickstream_dagster.local.importer.mapping import Field, Mapping
from clickstream_dagster.local.importer.opening import ImportFailed, blocks, lines
from clickstream_dagster.local.importer.orders import Orders, Row
from clickstream_dagster.local.importer.rows import Rows
from clickstream_dagster.local.importer.sniffing import Layout
from ingest_lambda import batch, normalize
from ingest_lambda.contract import Event, Reject
from ingest_lambda.settings import CLOCK_SKEW_BOUND

__all__ = ["ImportFailed", "Record", "read_csv", "read_json"]

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """One line of a file: its event, or the reason why it is none. `read_bytes` says how far the file is read."""

    line: bytes
    outcome: Event | Reject
    read_bytes: int


@dataclass
class Ids:
    """Ids for lines that bring none: made of what the line says and of how often it was said before in the file, so that
    importing the file again makes the same ids, and two equal lines of one file stay two events."""

    seen: Counter[bytes]

    def maker(self, line: bytes) -> Callable[[], UUID]:
        """What makes the id of this line, when it needs one."""
        digest = hashlib.sha256(line).digest()
        self.seen[digest] += 1
        return lambda: uuid5(normalize.EVENT_NAMESPACE, f"{digest.hex()}#{self.seen[digest]}")


def read_json(path: Path, encoding: str | None = None) -> Iterator[Record]:
    """One record for each line, or for each element where the file is one array."""
    ids = Ids(Counter())
    if encoding in (None, "utf-8") and _is_array(path):
        yield from (Record(piece, _accept(piece, ids), 0) for piece in _elements(path))
        return
    for line in lines(path, encoding):
        if line.text.strip():
            yield Record(line.text, _accept(line.text.strip(), ids), line.position)


def _is_array(path: Path) -> bool:
    """Whether an array begins the file whose first line does not end it."""
    for line in lines(path):
        if text := line.text.strip():
            return text.startswith(b"[")
    return False


def _elements(path: Path) -> Iterator[bytes]:
    """The elements of an array of any length, cut where the brackets say: the file is looked at in its place on the disk."""
    with TemporaryFile() as copy:
        for number, block in enumerate(blocks(path)):
            copy.write(block if number else block.removeprefix(b"\xef\xbb\xbf").lstrip())
        copy.flush()
        with mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ) as text:
            for piece in batch.pieces(cast(bytes, text)):
                if piece.strip():
                    yield piece.strip()


def read_csv(path: Path, mapping: Mapping, layout: Layout) -> Iterator[Record]:
    """One record for each row after the header, or for each order where the mapping has `order_lines`."""
    ids = Ids(Counter())
    reader = _Reader(mapping, layout)
    made = reader.all_rows(path)
    if mapping.lines:
        made = Orders(mapping, list(layout.header)).gathered(made)
    for row in made:
        outcome = row.outcome if isinstance(row.outcome, Reject) else reader.event(row, ids)
        yield Record(row.text, outcome, row.position)


class _Reader:
    """From the rows of a CSV to events."""

    def __init__(self, mapping: Mapping, layout: Layout) -> None:
        self.mapping, self.layout = mapping, layout
        self.rows = Rows(layout.delimiter)
        self.cells = Cells(mapping, layout.decimal, layout.zone)
        self.places = {name: place for place, name in enumerate(layout.header)}

    def all_rows(self, path: Path) -> Iterator[Row]:
        """Every row behind the header, with its cells."""
        found = islice(lines(path, self.layout.encoding), self.layout.skip_lines + 1, None)
        for line in self.rows.joined(found, len(self.layout.header)):
            if line.text.strip():
                yield Row(line.text, self._cells_of(line.text), line.position)

    def _cells_of(self, row: bytes) -> list[str] | Reject:
        try:
            if self.rows.is_open(row):
                return Reject("invalid_row", "the row opens a quote that nothing closes: mend or drop it")
            cells = self.rows.cells(row)
        except (UnicodeDecodeError, csv.Error) as error:
            return Reject("invalid_row", f"the row cannot be read as CSV in UTF-8: {error}")
        wanted = len(self.layout.header)
        if len(cells) != wanted:
            return Reject("invalid_row", f"the row has {len(cells)} cells, the header {wanted}: mend or drop it")
        return cells

    def event(self, row: Row, ids: Ids) -> Event | Reject:
        """The event of a row, with the lines of its order."""
        assert not isinstance(row.outcome, Reject)
        try:
            record = self._record(row.outcome, self.mapping.fields)
            items = [self._record(cells, self.mapping.lines).get("line") for cells in row.lines]
        except Reject as reject:
            return reject
        if self.mapping.lines:
            order = record.setdefault("order", {})
            order["items"] = [item for item in items if item]
        found = _accept(msgspec.json.encode(record), ids)
        if self.mapping.lines and isinstance(found, Reject) and found.code == "missing_visitor":
            # A guest's order, or an e-mail address that is not kept: the order is a visitor of its own.
            record["session_id"] = record["order"].get("id")
            return _accept(msgspec.json.encode(record), ids)
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


def _accept(line: bytes, ids: Ids) -> Event | Reject:
    try:
        event = normalize.accept(line, received_at=None, make_event_id=ids.maker(line), event_id_policy="uuid5")
    except Reject as reject:
        return reject
    # The hour that it is stored in must have a partition.
    if not EARLIEST <= event.event_timestamp <= datetime.now(UTC) + CLOCK_SKEW_BOUND:
        return Reject(
            "invalid_timestamp",
            f"event_timestamp: {event.event_timestamp:%Y-%m-%d} is not between {EARLIEST:%Y} and now",
        )
    return event
