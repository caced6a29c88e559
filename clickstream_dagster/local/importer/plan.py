"""The short way from the cells of a row to its event: what a mapping and a header make of each column, found out once, and
what each text in it means, once as long as it is remembered.

It does what the long way does (`csv_reader.py`), with the contract's own functions, and only where each cell can be looked at by
itself. Whatever else there is about a row is left to the long way: an odd cell, anything that is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from clickstream_dagster.local.importer.cells import Cells
from clickstream_dagster.local.importer.ids import NO_DIGEST, LineId
from clickstream_dagster.local.importer.mapping import Field
from ingest_lambda import normalize, privacy
from ingest_lambda.contract import Event, Reject
from ingest_lambda.fields import FIELDS
from ingest_lambda.reading import Draft, draft
from ingest_lambda.settling import Receipt

#: So many texts of each column are remembered.
REMEMBERED = 16_384
_PROPS = "props"
_encode = msgspec.json.Encoder().encode


class NotPlain(Exception):
    """The long way must look at it."""


class _Step(NamedTuple):
    """One field: where its cell is, where its value goes, and what a text means: as the mapping reads it, and as the
    contract holds it."""

    place: int
    parent: str
    name: str
    path: str
    read: Callable[[str], tuple[Any, Any] | None]


class Plan:
    """Makes events of rows. Raises `NotPlain` where the mapping leaves none to it."""

    def __init__(self, cells: Cells, fields: tuple[Field, ...], places: dict[str, int], width: int) -> None:
        if len({field.path for field in fields}) < len(fields):
            raise NotPlain
        self._make_id = LineId()
        self._receipt = Receipt(None, make_event_id=self._make_id, event_id_policy="uuid5", is_trusted=True)
        self._constants: list[str] = []
        self._steps = []
        for field in fields:
            if field.column is None:
                place = width + len(self._constants)
                self._constants.append(str(field.value))
            elif field.column in places:
                place = places[field.column]
            else:
                continue  # an optional column
            parent, _, name = field.path.rpartition(".") if not field.path.startswith(_PROPS) else _of_props(field.path)
            read = _reading(cells, field, name if parent == _PROPS else "")
            self._steps.append(_Step(place, parent, name, field.path, lru_cache(REMEMBERED)(read)))

    def event(self, cells: list[str]) -> tuple[Event, bytes] | None:
        """The event of a row, and the digest that its id is made of; None where the long way must look."""
        try:
            read, record = self._read([*cells, *self._constants])
            self._make_id.line, self._make_id.digest = _encode(record), NO_DIGEST
            return normalize.accept_draft(read, self._receipt, is_clean=True), self._make_id.digest
        except (Reject, NotPlain):
            return None

    def _read(self, cells: list[str]) -> tuple[Draft, dict[str, Any]]:
        record: dict[str, Any] = {}
        values: dict[str, Any] = {}
        props: dict[str, Any] = {}
        for place, parent, name, path, read in self._steps:
            found = read(cells[place])
            if found is None:
                continue
            raw, value = found
            if not parent:
                record[name] = raw
            elif parent in record:
                record[parent][name] = raw
            else:
                record[parent] = {name: raw}
            if parent == _PROPS:
                props[name] = value
            elif value is not None:
                values[path] = value
        return Draft(values, props), record


def _of_props(path: str) -> tuple[str, str, str]:
    """What is kept under `props` may have dots in its name. Some names there mean a field."""
    parent, dot, name = path.partition(".")
    if not name or draft({_PROPS: {name: "x"}}) != Draft({}, {name: "x"}):
        raise NotPlain
    return parent, dot, name


def _reading(cells: Cells, field: Field, prop: str) -> Callable[[str], tuple[Any, Any] | None]:
    path = field.path

    def read(text: str) -> tuple[Any, Any] | None:
        raw = cells.read(field, text)
        if raw is None:
            return None
        if isinstance(raw, str) and "\0" in raw:
            raise NotPlain
        if prop:
            return raw, _clean_prop(prop, raw)
        value = FIELDS[path](raw, path)
        if isinstance(value, int | Decimal) and value < 0:  # what it means depends on the event
            raise NotPlain
        return raw, None if value is None else normalize.clean(path, value)

    return read


def _clean_prop(name: str, raw: Any) -> Any:
    """Where one of them is personal, so may those beside it be."""
    kept = privacy.scrub_props({name: raw})
    if kept.keys() != {name}:
        raise NotPlain
    return kept[name]
