"""What a mapping says: which column is which field of an event, and how the file is to be read.

A field is the contract's name, nested with a dot (docs/events.md). `props.anything` keeps a column that has no field.
`document.py` reads it from a file, `cells.py` and `times.py` do what it says.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_type_hints

from ingest_lambda import contract, fields
from ingest_lambda.fields import FIELDS, ITEM_FIELDS, LINE_FIELDS

#: What a cell can fill: every field but a list, and but what the pipeline says of itself.
PATHS = frozenset(FIELDS) - LINE_FIELDS - {"time_source", "client_timestamp", "warnings"}
REQUIRED = ("event_name", "event_timestamp")
VISITORS = ("client_id", "session_id", "user_id")
#: How a line of an order is told from a field of the event: `order_lines: {price: …}` is the path `line.price`.
LINE = "line."
_RULES = {**FIELDS, **{LINE + name: rule for name, rule in ITEM_FIELDS.items()}}
TIMES = frozenset(path for path, rule in _RULES.items() if rule is fields.timestamp)
QUANTITIES = frozenset(path for path, rule in _RULES.items() if rule is fields.quantity)
NUMBERS = QUANTITIES | {path for path, rule in _RULES.items() if rule is fields.money}
BOOLEANS = frozenset(name for name, hint in get_type_hints(contract.Event).items() if hint == bool | None)


class MappingError(ValueError):
    """The mapping cannot be used; the message says what to write."""


@dataclass(frozen=True)
class Field:
    """Where the value of one field comes from: a column, or a value that is always the same."""

    path: str
    column: str | None = None
    value: str | None = None
    values: Dict[str, str] | None = None
    formats: tuple[str, ...] = ()
    is_optional: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return (self.column,) if self.column else ()


@dataclass(frozen=True)
class Condition:
    """Columns, and the words in them, each of which must be there."""

    words: Dict[str, tuple[str, ...]]
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Mapping:
    """A mapping. What is None is sniffed."""

    fields: tuple[Field, ...]
    #: The columns of a line of an order, where an order has a row for each of its lines.
    lines: tuple[Field, ...] = ()
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    skip_lines: int | None = None
    time_zone: str | None = None
    time_formats: tuple[str, ...] = ()
    #: Words for true and false besides those that everyone uses.
    booleans: Dict[str, bool] | None = None
    #: Rows that are no events: what one of these says.
    leave_out: tuple[Condition, ...] = ()
    #: Rows of orders that are no sale: how `shop-orders` reads what is left out of an import.
    no_sale: tuple[Condition, ...] = ()
    #: What was given back of an order (`amount`) and when (`time`); and where all of it was, whatever the amount.
    refund: Dict[str, Field] = field(default_factory=dict)
    refund_when: tuple[Condition, ...] = ()

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """Those of the event, of a line of its order, and of its refund."""
        return (*self.fields, *self.lines, *self.refund.values())

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that it asks of a row."""
        return self.leave_out + self.no_sale + self.refund_when

    @property
    def columns(self) -> set[str]:
        """Every column that the mapping cannot do without."""
        asked = {column for one in self.conditions for column in one.words.keys() - one.optional}
        return asked | {column for field in self.all_fields if not field.is_optional for column in field.columns}

    @property
    def used_columns(self) -> set[str]:
        """Every column that it reads, where the file has it."""
        asked = {column for one in self.conditions for column in one.words}
        return asked | {column for field in self.all_fields for column in field.columns}

    @property
    def event_columns(self) -> set[str]:
        """Every column that says something of a whole event, and not of a line of its order alone."""
        only_of_lines = {column for field in self.lines for column in field.columns}
        return (self.used_columns - only_of_lines) | {column for field in self.fields for column in field.columns}

    @property
    def has_amounts(self) -> bool:
        """Whether it reads amounts of money: without any, an order of 0 is no surprise."""
        return any(field.column and field.path in NUMBERS - QUANTITIES for field in self.fields + self.lines)


def check_columns(mapping: Mapping, header: list[str], path: Path) -> None:
    """Raise `MappingError` when the mapping names a column that the file does not have, or has twice."""
    if absent := sorted(mapping.columns - set(header)):
        raise MappingError(f"{path} has no column {', '.join(absent)}; its columns are {', '.join(header)}.")
    if twice := sorted(column for column in mapping.used_columns if header.count(column) > 1):
        raise MappingError(
            f"{path} has {header.count(twice[0])} columns named {twice[0]}, so the mapping can mean either: "
            "rename one of them in the first line of the file."
        )
