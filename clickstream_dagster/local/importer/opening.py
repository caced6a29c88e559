"""The bytes of a file as lines of UTF-8, whatever they are packed in; and what no one can read, refused with what to do."""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast


class ImportFailed(ValueError):
    """A file cannot be imported; the message says why and what to do. Nothing of it was stored."""


#: First bytes of a file that holds no text, and what it is.
_NO_TEXT = {
    b"PAR1": "a Parquet file: write it as CSV, for example with DuckDB: COPY (FROM 'file.parquet') TO 'file.csv'",
    b"\xd0\xcf\x11\xe0": (
        "a workbook of an old Excel: open it, choose File, Save As, CSV UTF-8 (comma delimited), and import that"
    ),
    b"%PDF": "a PDF: export the data as CSV or JSON where it came from",
    b"7z\xbc\xaf": "a 7z archive: unpack it, then import what is in it",
    b"BZh": "packed by bzip2: unpack it with bunzip2, then import what is in it",
    b"\xfd7zXZ": "packed by xz: unpack it with unxz, then import what is in it",
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it with unzstd, then import what is in it",
}
_WORKBOOKS = {
    "xl/workbook.xml": "an Excel workbook: open it, choose File, Save As, CSV UTF-8 (comma delimited), and import that",
    "content.xml": "a LibreOffice file: open it, choose File, Save As, Text CSV, and import that",
}
#: How far a file is read is asked once in so many lines.
_TOLD_LINES = 500
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)
_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Line(NamedTuple):
    """A line with its end, and how far the file is read behind it."""

    text: bytes
    position: int


def lines(path: Path, encoding: str | None = None) -> Iterator[Line]:
    """Every line, as UTF-8. A file that is said to be UTF-8 (or None) is not decoded, so that a byte which is no character
    costs its own line. Raises `ImportFailed`."""
    with unpacked(path) as (file, raw):
        head = file.peek()
        bom = next((bom for bom in _BOMS if head.startswith(bom)), b"")
        end = "\r" if b"\r" in head[:-1] and b"\n" not in head else "\n"  # as Excel on a Mac still offers it
        is_plain = encoding in (None, "utf-8") and end == "\n"
        text = None if is_plain else io.TextIOWrapper(file, encoding or "utf-8", "replace", newline=end)
        found: Iterator[bytes] = (line.encode() for line in text) if text else iter(file)
        position = 0
        for number, line in enumerate(found):
            if not number % _TOLD_LINES:
                position = raw.tell()
            yield Line(line if number else line.removeprefix(codecs.BOM_UTF8 if text else bom), position)


def blocks(path: Path, size: int = 1 << 20) -> Iterator[bytes]:
    """Its unpacked bytes. Raises `ImportFailed`."""
    with unpacked(path) as (file, _):
        yield from iter(lambda: file.read(size), b"")


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[io.BufferedReader, IO[bytes]]]:
    """What is in a file, through gzip or zip when it is packed, and the file itself, which says how far it is read."""
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(path.open("rb"))
            file, kind = _unpack(path, raw, stack)
        except OSError as error:
            raise ImportFailed(
                f"Cannot read {path}: {error.strerror or error}. Check the path and its permissions."
            ) from error
        try:
            yield file, raw
        except _BROKEN as error:
            raise ImportFailed(
                f"{path} is not whole {kind} ({error}). Get the file again, then import it again."
            ) from error


def _unpack(path: Path, raw: IO[bytes], stack: ExitStack) -> tuple[io.BufferedReader, str]:
    start = raw.read(8)
    raw.seek(0)
    for mark, said in _NO_TEXT.items():
        if start.startswith(mark):
            raise ImportFailed(f"{path} is {said}.")
    if start.startswith(b"\x1f\x8b"):
        return io.BufferedReader(cast(io.RawIOBase, stack.enter_context(gzip.GzipFile(fileobj=raw)))), "gzip"
    if start.startswith(b"PK\x03\x04"):
        return io.BufferedReader(cast(io.RawIOBase, stack.enter_context(_member(path, raw, stack)))), "zip"
    return cast(io.BufferedReader, raw), "text"


def _member(path: Path, raw: IO[bytes], stack: ExitStack) -> IO[bytes]:
    try:
        archive = stack.enter_context(zipfile.ZipFile(raw))
    except zipfile.BadZipFile as error:
        raise ImportFailed(f"{path} is not whole zip ({error}). Get the file again, then import it again.") from error
    names = [info.filename for info in archive.infolist() if not info.is_dir() and not _is_dross(info.filename)]
    for name, said in _WORKBOOKS.items():
        if name in names:
            raise ImportFailed(f"{path} is {said}.")
    if len(names) != 1:
        raise ImportFailed(
            f"{path} holds {len(names)} files ({', '.join(names[:5])}): unpack it, and import them one by one."
        )
    try:
        return archive.open(names[0])
    except RuntimeError as error:  # a password
        raise ImportFailed(
            f"{path} cannot be unpacked ({error}). Unpack it yourself, and import what is in it."
        ) from error


def _is_dross(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")
