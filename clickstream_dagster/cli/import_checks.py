"""What would stop an import before anything is stored, how a file is to be read, and what of an import is most likely wrong."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from clickstream_dagster.cli.show import console, harmless
from clickstream_dagster.local.importer.document import Document, ready_names
from clickstream_dagster.local.importer.formats import check_format
from clickstream_dagster.local.importer.mapping import MappingError
from clickstream_dagster.local.importer.opening import ImportFailed
from clickstream_dagster.local.importer.records import Record
from clickstream_dagster.local.importer.source import Source, surveyed
from clickstream_dagster.local.importer.status import LeftOut
from clickstream_dagster.local.importer.store import Imported
from ingest_lambda.contract import Reject
from ingest_lambda.settings import hash_salt

#: A file none of whose first lines is an event is the wrong file, or has the wrong mapping.
TRIED_LINES = 100
#: An import of which more than this part is refused, or of whose orders this part says no amount, has most likely the wrong
#: mapping.
REFUSED_PART = 0.05
#: So much of a line is shown.
_SHOWN_CHARACTERS = 100


def check(path: Path, document: Document | None, zone: str, format: str | None) -> Source:
    """Find what would stop the import before anything is stored, and how the file is to be read."""
    if path.is_dir():
        raise ImportFailed(f"{path} is a folder. Name the files in it, as in {path}/*.json.")
    if not path.is_file():
        raise ImportFailed(f"There is no file {path}. Check the path.")
    name = path.name.lower().removesuffix(".gz").removesuffix(".zip")
    if format:
        check_format(format)
    if name.endswith((".csv", ".tsv")) and not document and not format:
        raise MappingError(
            f"{path} is a CSV: say which column is which with --map mapping.yml (see clickstream import -h), or with "
            f"--as one of {', '.join(ready_names())}."
        )
    source = surveyed(path, document, zone, format)
    if source.layout:
        console.print(f"{path}: {source.layout}.")
        if source.layout.personal and not hash_salt():
            console.print(
                f"{path}: {' and '.join(source.layout.personal)} tells who somebody is. It is kept as a hash with the key "
                "CLICKSTREAM_HASH_SALT, which is not set: so it goes, and each order is a visitor of its own. Set it first."
            )
    left_out: list[str] = []
    tried = list(islice(_tried(source, left_out), TRIED_LINES))
    if not tried and left_out:
        raise ImportFailed(
            f"No line of {path} is an event: {len(left_out):,} left out (the first: {left_out[0]}). "
            "Check that it is the file you mean."
        )
    if not tried:
        raise ImportFailed(f"{path} holds no events. Check that it is the file you mean.")
    reasons = [(piece, record.outcome) for piece, record in tried if isinstance(record.outcome, Reject)]
    if len(reasons) == len(tried):
        piece, reason = reasons[0]
        raise ImportFailed(
            f"None of the first {len(tried):,} lines of {path} is an event ({reason.message}; "
            f"{shown_piece(piece, source.line_numbers([piece]))}). "
            f"Give {'another mapping' if document else 'one JSON event on each line, or a CSV with --map'}."
        )
    return source


def _tried(source: Source, left_out: list[str]) -> Iterator[tuple[bytes, Record]]:
    for piece, record in source.records():
        if isinstance(record.outcome, LeftOut):
            left_out.append(record.outcome.why)
        else:
            yield piece, record


def shown_piece(piece: bytes, numbers: dict[bytes, int]) -> str:
    """The beginning of a piece, and the line where it stands."""
    text = " ".join(harmless(piece.decode("utf-8", "replace")).split())
    short = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]} …"
    return f"line {numbers[piece]:,}: {short}" if piece in numbers else short


def what_is_wrong(source: Source, done: Imported) -> list[str]:
    """What of an import is so much that its mapping is most likely wrong: lines refused, orders without their amount."""
    lines, orders = done.events + done.refused, done.orders if source.has_amounts else 0
    parts = [
        (done.refused, lines, f"{done.refused:,} of {lines:,} of {source.path} are refused"),
        (
            done.without_amount,
            orders,
            f"{done.without_amount:,} of {orders:,} orders of {source.path} have no amount that can be read",
        ),
    ]
    return [said for part, of, said in parts if of and part > REFUSED_PART * of]
