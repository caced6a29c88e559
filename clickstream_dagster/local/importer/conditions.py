"""How a mapping says which orders were never paid (`leave_out`) and what was given back (`refund`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clickstream_dagster.local.importer.mapping import Condition, MappingError


def read_conditions(said: Any, word: str, file: Path) -> tuple[Condition, ...]:
    """One table of columns and their words, or a list of them. Raises `MappingError`."""
    tables = said if isinstance(said, list) else [said] if said else []
    return tuple(_condition(table, word, file) for table in tables)


def _condition(table: Any, word: str, file: Path) -> Condition:
    if not isinstance(table, dict) or not table:
        raise _wrong(word, file)
    optional = {
        column for column, entry in table.items() if isinstance(entry, dict) and entry.get("optional") == "true"
    }
    return Condition({column: _words(entry, word, file) for column, entry in table.items()}, frozenset(optional))


def _words(entry: Any, word: str, file: Path) -> tuple[str, ...]:
    if isinstance(entry, dict) and set(entry) <= {"words", "optional"}:
        entry = entry.get("words")
    words = [entry] if isinstance(entry, str) else entry
    if not isinstance(words, list) or not words or not all(isinstance(one, str) and one for one in words):
        raise _wrong(word, file)
    return tuple(words)


def _wrong(word: str, file: Path) -> MappingError:
    return MappingError(
        f"{file}: {word} takes columns and the words in them, as {{status: [cancelled, failed]}}; * is any text, ?* any but none."
    )
