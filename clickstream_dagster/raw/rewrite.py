"""An object without some of its lines: every other line keeps its bytes and its number."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import BinaryIO

from clickstream_dagster.raw.lines import ERASED, document_of, numbered_lines, text_of


class CannotRewrite(RuntimeError):
    """The rest of an object would not be read as before; the message names the object."""


def without(key: str, body: BinaryIO, numbers: Collection[int]) -> bytes | None:
    """The text of an object, unpacked, without the lines that have these numbers; None where no other is left."""
    kept = [(number, line) for number, line in numbered_lines(body) if number not in numbers]
    if not kept:
        return None
    document = document_of(body)
    text = text_of(body)
    if document:
        text = _array(document, numbers)
    else:
        lines = text.split(b"\n")
        for number in numbers:
            lines[number - 1] = b""
        text = b"\n".join(lines)
    if list(numbered_lines(io.BytesIO(text))) != kept:
        raise CannotRewrite(
            f"{key} would not be read as before without the lines to erase. Take them out by hand, each as an empty line, "
            "and run the same command again."
        )
    return text


def _array(document: list[bytes], numbers: Collection[int]) -> bytes:
    events = (ERASED if number in numbers else event for number, event in enumerate(document, 1))
    return b"[" + b",\n".join(events) + b"]"
