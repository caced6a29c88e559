"""A row as one line of PostgreSQL's COPY, written by msgspec's encoder in C: a JSON array is a line of CSV whose escape is
`\\`, once its brackets are gone and control characters stand for themselves."""

from __future__ import annotations

import re
from typing import Any

import msgspec

#: How COPY reads such a line. A text is always quoted, so that the bare word is NULL and no text can be.
OPTIONS = "format csv, escape '\\', null 'null'"

_encoder = msgspec.json.Encoder(decimal_format="number")
#: Only a quote and a backslash are escaped alike in both. What else is looks like this, and so does a letter behind a backslash.
_CONTROL = re.compile(rb'\\[^"\\]')
_ESCAPE = re.compile(rb"\\(?:u(?P<code>[0-9a-f]{4})|(?P<letter>.))")
_CONTROLS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


def line(values: tuple[Any, ...]) -> bytes:
    """Values as one COPY line."""
    encoded = _encoder.encode(values)[1:-1]
    return _ESCAPE.sub(_plain, encoded) if _CONTROL.search(encoded) else encoded


def json_text(value: Any) -> str | None:
    """The text of a JSON column."""
    return None if value is None else _encoder.encode(value).decode()


def _plain(escape: re.Match[bytes]) -> bytes:
    code, letter = escape["code"], escape["letter"]
    if code:  # no text of PostgreSQL holds a NUL
        return chr(int(code, 16) or 0xFFFD).encode()
    return _CONTROLS.get(letter, escape[0])
