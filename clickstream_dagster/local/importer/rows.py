"""Lines that are the rows of a CSV. A quoted cell may hold a newline; a quote that nothing closes costs its own line."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator

from clickstream_dagster.local.importer.opening import Line

#: A quoted cell that is longer than any event was never closed.
MAX_ROW_BYTES = 65_536


class Rows:
    """How the rows of a file are told apart."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        mark = re.escape(delimiter.encode())
        quoted, plain = rb'"(?:[^"]|"")*+"', rb'(?!")[^' + mark + rb"]*+"
        cell = rb"(?:" + quoted + rb"[^" + mark + rb"]*+|" + plain + rb")"
        strict = rb"(?:" + quoted + rb"|" + plain + rb")"
        self._whole = re.compile(cell + rb"(?:" + mark + cell + rb")*+")
        self._strict = re.compile(strict + rb"(?:" + mark + strict + rb")*+")

    def cells(self, row: bytes) -> list[str]:
        """The cells of a row. Raises `UnicodeDecodeError` and `csv.Error`."""
        text = row.decode()
        if '"' not in text:
            bare = text.rstrip("\r\n")
            if "\r" not in bare:
                return bare.split(self.delimiter) if bare else []
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter), [])

    def is_open(self, row: bytes) -> bool:
        """Whether a quote is open at its end."""
        return b'"' in row and not self._whole.fullmatch(row)

    def joined(self, lines: Iterator[Line], cells: int) -> Iterator[Line]:
        """Lines whose quotes are open go on in the next one. A quote that nothing closes, or that does not end its cell, or
        makes no row of so many cells, costs its own line and no other. (0: any number.)"""
        waiting: deque[Line] = deque()
        while first := waiting.popleft() if waiting else next(lines, None):
            if b'"' not in first.text:
                yield first
                continue
            held, size, is_open = [first], len(first.text), self.is_open(first.text)
            while is_open and size <= MAX_ROW_BYTES and (line := waiting.popleft() if waiting else next(lines, None)):
                held.append(line)
                size += len(line.text)
                is_open = b'"' not in line.text or self.is_open(_text(held))
            if len(held) > 1 and (is_open or not self._has_cells(_text(held), cells)):
                waiting.extendleft(reversed(held[1:]))
                held = held[:1]
            yield Line(_text(held), held[-1].position)

    def _has_cells(self, row: bytes, cells: int) -> bool:
        try:
            is_strict = self._strict.fullmatch(row.rstrip(b"\r\n"))
            return bool(is_strict) and (not cells or len(self.cells(row)) == cells)
        except (UnicodeDecodeError, csv.Error):
            return False


def _text(held: list[Line]) -> bytes:
    return held[0].text if len(held) == 1 else b"".join(line.text for line in held)
