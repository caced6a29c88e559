"""The records of a file: each line of NDJSON, or each row of a CSV through its mapping. A broken line costs only itself."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast
from uuid import UUID, uuid5

import msgspec

from clickstream_dagster.local.importer import mapping
from clickstream_dagster.local.importer.mapping import Field
from ingest_lambda import normalize
from ingest_lambda.contract import Event, Reject
from ingest_lambda.dialects.tables import EVENT_NAMESPACE
from ingest_lambda.settings import CLOCK_SKEW_BOUND

#: A quoted cell that is longer than any event was never closed.
MAX_ROW_BYTES = 65_536
_QUOTED, _PLAIN = rb'"(?:[^"]|"")*+"', rb'(?!")[^,]*+'
_CELL = rb"(?:" + _QUOTED + rb"[^,]*+|" + _PLAIN + rb")"
_WHOLE_ROW = re.compile(_CELL + rb"(?:," + _CELL + rb")*+")
_STRICT_CELL = rb"(?:" + _QUOTED + rb"|" + _PLAIN + rb")"
_STRICT_ROW = re.compile(_STRICT_CELL + rb"(?:," + _STRICT_CELL + rb")*+")


class ImportFailed(ValueError):
    """A file cannot be imported; the message says why and what to do. Nothing of it was stored."""


EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """One line of a file: its event, or the reason why it is none. `read_bytes` says how far the file is read."""

    line: bytes
    outcome: Event | Reject
    read_bytes: int


@dataclass
class Ids:
    """Ids for lines that bring none: made of what the line says and of how often it was said before in the file, so that
    importing the file again makes the same ids, and two equal lines of one file stay two events."""

    seen: Counter[bytes]

    def maker(self, line: bytes) -> Callable[[], UUID]:
        """What makes the id of this line, when it needs one."""
        digest = hashlib.sha256(line).digest()
        self.seen[digest] += 1
        return lambda: uuid5(EVENT_NAMESPACE, f"{digest.hex()}#{self.seen[digest]}")


def open_file(path: Path) -> IO[bytes]:
    """The file, through gzip when it is. Raises `ImportFailed` with the next step."""
    try:
        with path.open("rb") as probe:
            is_gzip = probe.read(2) == b"\x1f\x8b"
        return cast(IO[bytes], gzip.open(path, "rb")) if is_gzip else path.open("rb")
    except OSError as error:
        raise ImportFailed(
            f"Cannot read {path}: {error.strerror or error}. Check the path and its permissions."
        ) from error


def read_ndjson(path: Path) -> Iterator[Record]:
    """One record per line."""
    ids = Ids(Counter())
    for line, position in _lines(path):
        if line.strip():
            yield Record(line, _accept(line.strip(), ids), position)


def read_csv(path: Path, fields: list[Field]) -> Iterator[Record]:
    """One record per row after the header."""
    ids = Ids(Counter())
    lines = _lines(path)
    header = _header(path, lines)
    mapping.check_columns(fields, header, path)
    for line, position in _joined(lines, len(header)):
        if line.strip():
            yield Record(line, _accept_row(line, header, fields, ids), position)


def check_whole(path: Path) -> None:
    """Read a compressed file to its end, so that one which is cut short is refused before any of it is stored."""
    with open_file(path) as file:
        is_gzip = isinstance(file, gzip.GzipFile)
    if is_gzip:
        for _ in _lines(path):
            pass


def _header(path: Path, lines: Iterator[tuple[bytes, int]]) -> list[str]:
    line, _ = next(_joined(lines, 0), (b"", 0))
    if not line.strip():
        raise ImportFailed(f"{path} is empty: a CSV begins with the names of its columns.")
    if _is_open(line):
        raise ImportFailed(f"The first line of {path} opens a quote that nothing closes. Mend it, then import again.")
    try:
        return _row(line)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ImportFailed(
            f"The first line of {path} is no CSV header in UTF-8 ({error}). Save it again as CSV in UTF-8."
        ) from error


def _accept_row(line: bytes, header: list[str], fields: list[Field], ids: Ids) -> Event | Reject:
    try:
        if _is_open(line):
            return Reject("invalid_row", "the row opens a quote that nothing closes: mend or drop it")
        cells = _row(line)
        if len(cells) != len(header):
            return Reject("invalid_row", f"the row has {len(cells)} cells, the header {len(header)}: mend or drop it")
        record = mapping.apply(fields, dict(zip(header, cells, strict=True)))
    except Reject as reject:
        return reject
    except (UnicodeDecodeError, csv.Error) as error:
        return Reject("invalid_row", f"the row cannot be read as CSV in UTF-8: {error}")
    return _accept(msgspec.json.encode(record), ids)


def _accept(line: bytes, ids: Ids) -> Event | Reject:
    try:
        event = normalize.accept(line, received_at=None, make_event_id=ids.maker(line), event_id_policy="uuid5")
    except Reject as reject:
        return reject
    # The hour that it is stored in must have a partition.
    if not EARLIEST <= event.event_timestamp <= datetime.now(UTC) + CLOCK_SKEW_BOUND:
        return Reject(
            "invalid_timestamp",
            f"event_timestamp: {event.event_timestamp:%Y-%m-%d} is not between {EARLIEST:%Y} and now",
        )
    return event


def _row(line: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(line.decode(), newline="")), [])


def _joined(lines: Iterator[tuple[bytes, int]], cells: int) -> Iterator[tuple[bytes, int]]:
    """Lines whose quotes are open go on in the next one: a quoted cell may hold a newline. A quote that nothing closes,
    or that does not end its cell, or makes no row of so many cells, costs its own line and no other. (0: any number.)"""
    waiting: deque[tuple[bytes, int]] = deque()
    while first := waiting.popleft() if waiting else next(lines, None):
        held = [first]
        size = len(first[0])
        is_open = _is_open(first[0])
        while is_open and size <= MAX_ROW_BYTES and (line := waiting.popleft() if waiting else next(lines, None)):
            held.append(line)
            size += len(line[0])
            is_open = b'"' not in line[0] or _is_open(_text(held))
        if len(held) > 1 and (is_open or not _has_cells(_text(held), cells)):
            waiting.extendleft(reversed(held[1:]))
            held = held[:1]
        yield _text(held), held[-1][1]


def _text(held: list[tuple[bytes, int]]) -> bytes:
    return b"".join(line for line, _ in held)


def _is_open(row: bytes) -> bool:
    return b'"' in row and not _WHOLE_ROW.fullmatch(row)


def _has_cells(row: bytes, cells: int) -> bool:
    try:
        return bool(_STRICT_ROW.fullmatch(row.rstrip(b"\r\n"))) and (not cells or len(_row(row)) == cells)
    except (UnicodeDecodeError, csv.Error):
        return False


def _lines(path: Path) -> Iterator[tuple[bytes, int]]:
    with open_file(path) as file:
        raw = getattr(file, "fileobj", None) or file
        try:
            for number, line in enumerate(file):
                yield (line if number else line.removeprefix(b"\xef\xbb\xbf")), raw.tell()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ImportFailed(
                f"{path} is not whole gzip ({error}). Get the file again, then import it again."
            ) from error
