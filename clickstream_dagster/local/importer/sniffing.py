"""What a mapping leaves open about a CSV, found out from its first rows and told in one line."""

from __future__ import annotations

import csv
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from clickstream_dagster.local.importer.amounts import Undecided, decimal_of, named_currency
from clickstream_dagster.local.importer.encodings import NAMES
from clickstream_dagster.local.importer.mapping import (
    NUMBERS,
    QUANTITIES,
    VISITORS,
    Mapping,
    MappingError,
    check_columns,
)
from clickstream_dagster.local.importer.opening import ImportFailed, lines
from clickstream_dagster.local.importer.rows import Rows
from ingest_lambda.privacy import pseudonym

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
#: A header lies in the first lines, behind a title and comments.
_HEADER_LINES = 40
_SAMPLE_ROWS = 2_000


@dataclass(frozen=True)
class Layout:
    """How a CSV is written, up to its header. `decimal_is_said`: its numbers leave no doubt about their decimal sign.
    `personal`: the columns whose ids tell who somebody is, as e-mail addresses do."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    skip_lines: int
    decimal: str
    decimal_is_said: bool
    zone: str
    personal: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = [_DELIMITERS.get(self.delimiter, repr(self.delimiter))]
        if self.decimal_is_said:
            said.append("decimal comma" if self.decimal == "," else "decimal point")
        said.append(NAMES.get(self.encoding, self.encoding))
        if self.skip_lines:
            said.append(f"{self.skip_lines} {'line' if self.skip_lines == 1 else 'lines'} before the header")
        return ", ".join([*said, f"times in {self.zone}"])


def sniff(path: Path, mapping: Mapping, encoding: str, zone: str) -> Layout:
    """How a CSV is written. Raises `ImportFailed` or `MappingError`."""
    encoding = mapping.encoding or encoding
    first = [line.text for line in islice(lines(path, encoding), _HEADER_LINES)]
    delimiter, skipped, header = _header(path, mapping, first)
    check_columns(mapping, header, path)
    sample = _sample(path, encoding, delimiter, skipped, header)
    decimal = mapping.decimal or _decimal(path, mapping, sample)
    _check_currency(path, mapping, sample)
    zone = mapping.time_zone or zone
    personal = _personal(mapping, sample)
    return Layout(encoding, delimiter, tuple(header), skipped, decimal or ".", bool(decimal), zone, personal)


def _header(path: Path, mapping: Mapping, first: list[bytes]) -> tuple[str, int, list[str]]:
    """The delimiter and the line that make most of the mapping's columns; the first such line, and comma before others."""
    if not any(line.strip() for line in first):
        raise ImportFailed(f"{path} is empty: a CSV begins with the names of its columns.")
    said = first[0].strip()
    separator = said[4:].decode("utf-8", "replace") if said.lower().startswith(b"sep=") and len(said) == 5 else None
    named = mapping.delimiter or separator
    delimiters = [named] if named else list(_DELIMITERS)
    begin = mapping.skip_lines if mapping.skip_lines is not None else int(bool(separator))
    places = range(begin, min(len(first), begin + 1 if mapping.skip_lines is not None else len(first)))
    tried = [(delimiter, place, _names(first, place, delimiter)) for place in places for delimiter in delimiters]
    wanted = {column for field in mapping.all_fields for column in field.columns} | mapping.columns
    best = max(tried, key=lambda one: (len(wanted & set(one[2])), -one[1], len(one[2])), default=None)
    if best and wanted & set(best[2]):
        return best
    place = next((number for number in places if first[number].strip() and not first[number].startswith(b"#")), begin)
    _check_text(path, first[place] if place < len(first) else b"", delimiters[0])
    return max((one for one in tried if one[1] == place), key=lambda one: len(one[2]), default=(",", place, []))


def _names(first: list[bytes], place: int, delimiter: str) -> list[str]:
    rows = Rows(delimiter)
    line = first[place] if place else first[0]
    try:
        return [] if rows.is_open(line) or not line.strip() else [name.strip() for name in rows.cells(line)]
    except (UnicodeDecodeError, csv.Error):
        return []


def _check_text(path: Path, line: bytes, delimiter: str) -> None:
    if not line.strip():
        raise ImportFailed(f"{path} is empty: a CSV begins with the names of its columns.")
    if Rows(delimiter).is_open(line):
        raise ImportFailed(f"The first line of {path} opens a quote that nothing closes. Mend it, then import again.")
    try:
        Rows(delimiter).cells(line)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ImportFailed(
            f"The first line of {path} is no CSV header in UTF-8 ({error}). Save it again as CSV in UTF-8."
        ) from error


def _sample(path: Path, encoding: str, delimiter: str, skipped: int, header: list[str]) -> dict[str, list[str]]:
    """The cells of each column, in the first rows."""
    rows = Rows(delimiter)
    found: list[list[str]] = []
    for row in islice(rows.joined(islice(lines(path, encoding), skipped + 1, None), len(header)), _SAMPLE_ROWS):
        with suppress(UnicodeDecodeError, csv.Error):
            found.append(rows.cells(row.text))
    return {name: [cells[at].strip() for cells in found if at < len(cells)] for at, name in enumerate(header)}


def _decimal(path: Path, mapping: Mapping, sample: dict[str, list[str]]) -> str | None:
    columns = {field.column for field in mapping.all_fields if field.path in NUMBERS}
    try:
        return decimal_of(text for column in columns & sample.keys() for text in sample[str(column)])
    except Undecided as number:
        raise MappingError(
            f"{path}: {number} could be thousands, or one number with three decimals. Say which sign stands before the cents in "
            "the mapping, as decimal: ',' or decimal: '.' (for --as: in a copy of that mapping, given with --map)."
        ) from None


def _check_currency(path: Path, mapping: Mapping, sample: dict[str, list[str]]) -> None:
    """Amounts that name another currency than the mapping does, or that the shop has, would be counted as that."""
    said = [field for field in mapping.fields if field.path in ("currency", "order.currency")]
    amounts = {field.column for field in mapping.all_fields if field.path in NUMBERS - QUANTITIES} & sample.keys()
    named = {code for column in amounts for text in sample[str(column)] if (code := named_currency(text))}
    if any(field.column for field in said) or named <= {field.value for field in said}:
        return
    raise MappingError(
        f"{path}: its amounts are in {' and '.join(sorted(named))}, which the mapping does not say. Add the column that says "
        f"the currency, as order.currency: column, or, where it is one, constants: {{order.currency: {min(named)}}}."
    )


def _personal(mapping: Mapping, sample: dict[str, list[str]]) -> tuple[str, ...]:
    columns = [field.column for field in mapping.fields if field.path in VISITORS and field.column in sample]
    return tuple(str(one) for one in columns if any(pseudonym(text, "") is None for text in sample[str(one)] if text))
