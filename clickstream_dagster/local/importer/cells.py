"""From the text of a cell to what the contract reads: numbers, times, booleans, translated words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from clickstream_dagster.local.importer.mapping import BOOLEANS, NUMBERS, QUANTITIES, TIMES, Field, Mapping
from clickstream_dagster.local.importer.times import read_time
from ingest_lambda.contract import Reject

_WORDS = {
    **dict.fromkeys(("true", "t", "1", "1.0", "yes", "y", "on"), True),
    **dict.fromkeys(("false", "f", "0", "0.0", "no", "n", "off"), False),
}
#: What stands around a number: spaces, the Swiss apostrophe, and the sign of a currency.
_DRESS = str.maketrans("", "", " \xa0\u202f'’€$£¥")
_SIGNS = {".": ",", ",": "."}
_NUMBER = {
    sign: re.compile(rf"[+-]?(?:[0-9]{{1,3}}(?:\{group}[0-9]{{3}})+|[0-9]+)(?:\{sign}[0-9]+)?\Z")
    for sign, group in _SIGNS.items()
}
#: A number that can only mean one of the two: cents of one, two or more than three digits, or both signs.
_EVIDENCE = {
    sign: re.compile(
        rf"[+-]?(?:[0-9]+\{sign}(?:[0-9]{{1,2}}|[0-9]{{4,}})|[0-9]{{1,3}}(?:\{group}[0-9]{{3}})+\{sign}[0-9]+)\Z"
    )
    for sign, group in _SIGNS.items()
}


class Cells:
    """Reads cells as a mapping says, with the decimal sign that was found in the file."""

    def __init__(self, mapping: Mapping, decimal: str, zone: str) -> None:
        self.mapping = mapping
        self.decimal = decimal
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
        return self._boolean(text, field.path) if field.path in BOOLEANS else text

    def _number(self, text: str, path: str) -> str:
        if text.isdecimal() and text.isascii():
            return text
        bare = text.translate(_DRESS)
        if _NUMBER[self.decimal].match(bare):
            return bare.replace(_SIGNS[self.decimal], "").replace(self.decimal, ".")
        if _NUMBER[_SIGNS[self.decimal]].match(bare):
            raise Reject(
                "invalid_quantity" if path in QUANTITIES else "invalid_price",
                f"{path}: the cents stand behind another sign than the {_name(self.decimal)} of the other rows; say which "
                "with decimal: in the mapping",
            )
        return text

    def _boolean(self, text: str, path: str) -> bool:
        word = self.words.get(text.lower())
        if word is None:
            raise Reject(
                f"invalid_{path}",
                f"{path}: expected true or false, 1 or 0, yes or no; say other words in the mapping, as "
                "booleans: {true: [ja], false: [nein]}",
            )
        return word


def decimal_of(texts: Iterable[str]) -> str | None:
    """The decimal sign that numbers have; None when they could have either."""
    found: Counter[str] = Counter()
    for text in texts:
        bare = text.translate(_DRESS)
        found.update(sign for sign, pattern in _EVIDENCE.items() if pattern.match(bare))
    return max(_SIGNS, key=lambda sign: found[sign]) if found else None


def _name(sign: str) -> str:
    return "decimal comma" if sign == "," else "decimal point"
