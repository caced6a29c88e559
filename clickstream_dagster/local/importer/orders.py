"""Orders that have a row for each of their lines, as one piece each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from clickstream_dagster.local.importer.mapping import Mapping
from ingest_lambda.contract import Reject

#: So many orders wait for further lines: rows of several orders may lie mixed, as far apart as this.
OPEN_ORDERS = 10_000


@dataclass
class Row:
    """A row with its cells, or the reason why it has none. The first row of an order holds the cells of all its `lines`."""

    text: bytes
    outcome: list[str] | Reject
    lines: list[list[str]] = field(default_factory=list)


class Orders:
    """Gathers the rows of each order: those with its id, and those after it that leave the id blank."""

    def __init__(self, mapping: Mapping, header: tuple[str, ...]) -> None:
        assert mapping.order_column
        self._place = header.index(mapping.order_column)

    def gathered(self, rows: Iterator[Row]) -> Iterator[Row]:
        """One row for each order, once no more of its lines are to be expected; broken rows at once."""
        waiting: OrderedDict[str, Row] = OrderedDict()
        last = ""
        for row in rows:
            if isinstance(row.outcome, Reject):
                yield row
                continue
            last = row.outcome[self._place].strip() or last
            if first := waiting.get(last):
                first.text += row.text
            else:
                first = waiting[last] = row
            first.lines.append(row.outcome)
            waiting.move_to_end(last)
            if len(waiting) > OPEN_ORDERS:
                yield waiting.popitem(last=False)[1]
        yield from waiting.values()
