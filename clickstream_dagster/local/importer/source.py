"""A file to import: what it is, how it is read, and the pieces that it is cut into."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple, cast

from clickstream_dagster.local.importer import access_log
from clickstream_dagster.local.importer.csv_reader import CsvReader
from clickstream_dagster.local.importer.document import Document
from clickstream_dagster.local.importer.encodings import survey
from clickstream_dagster.local.importer.envelopes import objects
from clickstream_dagster.local.importer.formats import FORMATS, LINES_ONLY
from clickstream_dagster.local.importer.opening import Line, blocks, lines
from clickstream_dagster.local.importer.orders import Orders
from clickstream_dagster.local.importer.records import JsonReader, LineReader, Piece, Reader, Record
from clickstream_dagster.local.importer.rows import Rows
from clickstream_dagster.local.importer.sniffing import Layout, sniff
from ingest_lambda import batch
from ingest_lambda.settings import hash_salt

#: Pieces that are worked on together. Not by their number alone, since a line of JSON may be long.
CHUNK_PIECES = 4_000
CHUNK_BYTES = 4_000_000


class Chunk(NamedTuple):
    """Some pieces of a file, in its order. `position` says how far the file is read behind them."""

    pieces: list[Piece]
    position: int


@dataclass(frozen=True)
class Source:
    """A file and how it is read: by a document and its layout, as a format of its own, or, with neither, as JSON. `content` is
    a hash of what is in it, `salt` one of the key by which its ids are hashed, where they may be."""

    path: Path
    encoding: str
    content: str
    document: Document | None = None
    layout: Layout | None = None
    format: str | None = None
    salt: str = ""

    @property
    def mapping_name(self) -> str:
        """What its mapping is called."""
        return self.document.name if self.document else self.format or "JSON"

    @property
    def has_amounts(self) -> bool:
        """Whether its orders should say what was paid."""
        return not self.document or self.document.mapping.has_amounts

    @property
    def identity(self) -> str:
        """The name of its import: the same for the same content, read in the same way, and for nothing else."""
        by_columns = f"{self.document.content} {self.layout.zone}" if self.document and self.layout else ""
        meaning = (by_columns or self.format or "") + self.salt
        return hashlib.sha256(f"{self.content}/{meaning}".encode()).hexdigest()[:12]

    def reader(self) -> Reader:
        """What reads its pieces."""
        if self.document and self.layout:
            return CsvReader(self.document.mapping, self.layout)
        return LineReader(self.format) if self.format in FORMATS else JsonReader()

    def records(self) -> Iterator[tuple[bytes, Record]]:
        """What becomes of each piece, one after the other, with what the file has there."""
        reader = self.reader()
        for chunk in self.chunks():
            for piece in chunk.pieces:
                for record in reader.read(piece):
                    yield piece if isinstance(piece, bytes) else piece.text, record

    def line_numbers(self, pieces: Iterable[bytes]) -> dict[bytes, int]:
        """In which line each of these pieces begins. One of an array stands in no line of its own."""
        wanted = {piece.strip().partition(b"\n")[0].strip(): piece for piece in pieces}
        found: dict[bytes, int] = {}
        for number, line in enumerate(lines(self.path, self.layout.encoding if self.layout else self.encoding), 1):
            if piece := wanted.pop(line.text.strip(), None):
                found[piece] = number
            if not wanted:
                break
        return found

    def chunks(self, size: int = CHUNK_PIECES) -> Iterator[Chunk]:
        """All of it, in pieces that are not blank. Raises `ImportFailed`."""
        position = _Position()
        pieces = self._csv(position) if self.layout else self._json(position)
        held: list[Piece] = []
        weight = 0
        for piece in pieces:
            held.append(piece)
            weight += len(piece) if isinstance(piece, bytes) else sum(map(len, piece.texts))
            if len(held) >= size or weight >= CHUNK_BYTES:
                yield Chunk(held, position.read_bytes)
                held, weight = [], 0
        if held:
            yield Chunk(held, position.read_bytes)

    def _csv(self, position: _Position) -> Iterator[Piece]:
        assert self.document
        assert self.layout
        mapping, layout = self.document.mapping, self.layout
        found = islice(lines(self.path, layout.encoding), layout.skip_lines + 1, None)
        rows = position.followed(Rows(layout.delimiter).joined(found, len(layout.header)))
        if not mapping.lines:
            return rows
        reader = CsvReader(mapping, layout)
        return cast(Iterator[Piece], Orders(mapping, layout.header).gathered(map(reader.row, rows)))

    def _json(self, position: _Position) -> Iterator[Piece]:
        found = position.followed(lines(self.path, self.encoding))
        if self.format in LINES_ONLY:
            return found
        start = _first_line(self.path, self.encoding)
        if start.startswith(b"["):
            return _elements(self.path, self.encoding)
        return objects(found) if start == b"{" else found


def surveyed(path: Path, document: Document | None = None, zone: str = "UTC", format: str | None = None) -> Source:
    """A file, read once to its end. Raises `ImportFailed` or `MappingError` for one that cannot be imported."""
    found = survey(path)
    layout = sniff(path, document.mapping, found.encoding, zone) if document else None
    is_hashed = found.has_at or format == access_log.NAME or bool(layout and layout.personal)
    return Source(path, found.encoding, found.content, document, layout, format, _salt() if is_hashed else "")


def _salt() -> str:
    """The key of hashed ids, as a hash: another key makes other visitors, so it makes another import."""
    salt = hash_salt()
    return f" {hashlib.sha256(salt.encode()).hexdigest()}" if salt else ""


class _Position:
    """How far a file is read."""

    read_bytes = 0

    def followed(self, found: Iterator[Line]) -> Iterator[bytes]:
        for line in found:
            self.read_bytes = line.position
            if line.text.strip():
                yield line.text


def _first_line(path: Path, encoding: str) -> bytes:
    return next((text for line in lines(path, encoding) if (text := line.text.strip())), b"")


def _elements(path: Path, encoding: str) -> Iterator[bytes]:
    """The elements of an array of any length, cut where the brackets say: the file is looked at in its place on the disk."""
    with TemporaryFile() as copy:
        texts = blocks(path) if encoding == "utf-8" else (line.text for line in lines(path, encoding))
        for number, block in enumerate(texts):
            copy.write(block if number else block.removeprefix(b"\xef\xbb\xbf").lstrip())
        copy.flush()
        with mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ) as text:
            for piece in batch.pieces(cast(bytes, text)):
                if piece.strip():
                    yield piece.strip()
