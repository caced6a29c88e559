"""Orders that have a row for each of their lines, as one piece each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from clickstream_dagster.local.importer.mapping import Field, Mapping
from ingest_lambda.contract import Reject
from ingest_lambda.fields import identifier

#: So many orders wait for further lines: rows of several orders may lie mixed, as far apart as this.
OPEN_ORDERS = 10_000
_ORPHAN = (
    "the row leaves the order's id blank, and a row above it, whose order it may be of, cannot be read: mend that one"
)


@dataclass
class Row:
    """Rows that are one event, with the cells of that, or the reason why there are none. `lines`: the cells of each row."""

    texts: list[bytes]
    outcome: list[str] | Reject
    lines: list[list[str]] = field(default_factory=list)

    @property
    def text(self) -> bytes:
        """All of it, as it stands in the file."""
        return b"".join(self.texts)


@dataclass
class _Open:
    """An event that further rows may belong to. Without a number it is of its own: only rows below it may."""

    name: str
    number: str
    row: Row
    cells: list[str]


class Orders:
    """Gathers the rows of each event with an order's id: those with the same name and id, and those below them that leave
    the id blank and say nothing else of the order. Any other row is an event of its own."""

    def __init__(self, mapping: Mapping, header: tuple[str, ...]) -> None:
        self._columns = {name: place for place, name in enumerate(header)}
        fields = {field.path: field for field in mapping.fields}
        self._name, self._number = fields["event_name"], fields["order.id"]
        self._of_event = self._places(mapping.event_columns)
        number, lines = {self._number.column}, {column for line in mapping.lines for column in line.columns}
        self._told_apart = self._places(mapping.event_columns - lines - number)

    def _places(self, columns: set[str]) -> list[int]:
        return [self._columns[column] for column in columns if column in self._columns]

    def gathered(self, rows: Iterator[Row]) -> Iterator[Row]:
        """One row for each event, once no more of its lines are to be expected; broken rows at once."""
        waiting: OrderedDict[object, _Open] = OrderedDict()
        above: _Open | None = None
        is_broken = False
        for row in rows:
            if isinstance(row.outcome, Reject):
                is_broken = True
                yield row
                continue
            found = self._open(row, row.outcome, above)
            if found is above and is_broken and not self._id(self._number, row.outcome):
                yield Row(row.texts, Reject("invalid_row", _ORPHAN))
                continue
            key: object = (found.name, found.number) if found.number else id(found)
            first = waiting.setdefault(key, found)
            self._join(first, row, row.outcome)
            waiting.move_to_end(key)
            above, is_broken = first, False
            if len(waiting) > OPEN_ORDERS:
                yield waiting.popitem(last=False)[1].row
        yield from (one.row for one in waiting.values())

    def _open(self, row: Row, cells: list[str], above: _Open | None) -> _Open:
        """What a row belongs to: what is above it, or an event that it says itself."""
        number, name = self._id(self._number, cells), self._word(self._name, cells)
        if above and (number == above.number and name in ("", above.name) if number else self._is_below(cells, above)):
            return above
        return _Open(name, number, row, list(cells))

    def _is_below(self, cells: list[str], above: _Open) -> bool:
        """Whether a row that leaves the id blank says nothing else than what is above it. Where that has no id either, two
        equal rows are two events."""
        same = above.cells if above.number else [""] * len(cells)
        return all(cells[at].strip() in ("", same[at].strip()) for at in self._told_apart)

    def _join(self, first: _Open, row: Row, cells: list[str]) -> None:
        """What is of the order is the first that a row of it says."""
        if first.row is row:
            row.outcome = first.cells
        else:
            first.row.texts += row.texts
            for at in self._of_event:
                if not first.cells[at].strip():
                    first.cells[at] = cells[at]
        first.row.lines.append(cells)

    def _word(self, field: Field, cells: list[str]) -> str:
        text = str(field.value) if field.column is None else cells[self._columns[field.column]].strip()
        return (field.values or {}).get(text, text)

    def _id(self, field: Field, cells: list[str]) -> str:
        return identifier(self._word(field, cells), field.path) or ""
