"""From the text of a cell to what the contract reads: numbers, times, booleans, translated words."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from clickstream_dagster.local.importer.amounts import OTHER, bare, is_either, read_number
from clickstream_dagster.local.importer.mapping import BOOLEANS, NUMBERS, QUANTITIES, TIMES, VISITORS, Field, Mapping
from clickstream_dagster.local.importer.times import read_time
from ingest_lambda.contract import Reject

_WORDS = {
    **dict.fromkeys(("true", "t", "1", "1.0", "yes", "y", "on"), True),
    **dict.fromkeys(("false", "f", "0", "0.0", "no", "n", "off"), False),
}
#: What tells one order, or one visitor, from another.
_IDS = frozenset(("event_id", "order.id", *VISITORS))
_OF_EXCEL = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{1,2}\Z")


class Cells:
    """Reads cells as a mapping says, with the decimal sign that was found in the file. `is_sure` False: none was."""

    def __init__(self, mapping: Mapping, decimal: str, zone: str, *, is_sure: bool = True) -> None:
        self.mapping = mapping
        self.decimal, self.is_sure = decimal, is_sure
        self.zone = ZoneInfo(zone)
        self.words = {**_WORDS, **(mapping.booleans or {})}

    def read(self, field: Field, text: str) -> Any:
        """What a cell means; None for an empty one. Raises `Reject`."""
        text = text.strip()
        if field.values:
            text = field.values.get(text, text)
        if not text:
            return None
        if field.formats or field.path in TIMES:
            return read_time(text, field.path, field.formats or self.mapping.time_formats, self.zone)
        if field.path in NUMBERS:
            return self._number(text, field.path)
        if field.path in _IDS and _OF_EXCEL.match(text):
            raise Reject(
                "invalid_row",
                f"{field.path}: 1.23457E+11 is what Excel makes of a long number, the same of many; export the file anew "
                "and import it as it comes, or format that column as text before you save it",
            )
        return self._boolean(text, field.path) if field.path in BOOLEANS else text

    def _number(self, text: str, path: str) -> str:
        if text.isdecimal() and text.isascii():
            return text
        number = bare(text)
        if not self.is_sure and is_either(number):
            raise _unclear(path, "the number could have thousands or three decimals")
        found = read_number(number, self.decimal)
        if found is None and read_number(number, OTHER[self.decimal]):
            whose = "the mapping says" if self.mapping.decimal else "of the other rows"
            raise _unclear(path, f"the cents stand behind another sign than the {_name(self.decimal)} {whose}")
        return found or text

    def _boolean(self, text: str, path: str) -> bool:
        word = self.words.get(text.lower())
        if word is None:
            raise Reject(
                f"invalid_{path}",
                f"{path}: expected true or false, 1 or 0, yes or no; say other words in the mapping, as "
                "booleans: {true: [ja], false: [nein]}",
            )
        return word


def _unclear(path: str, what: str) -> Reject:
    code = "invalid_quantity" if path in QUANTITIES else "invalid_price"
    return Reject(code, f"{path}: {what}; say which stands before the cents, as decimal: ',' in the mapping")


def _name(sign: str) -> str:
    return "decimal comma" if sign == "," else "decimal point"
