"""CSV that a spreadsheet can open without harm: text is never a formula, numbers stay numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from formats import is_missing

#: What a spreadsheet takes for the beginning of a formula, also after blanks.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_text(text: str) -> str:
    """Text with an apostrophe before what would be a formula. NUL, which CSV cannot hold, becomes a mark."""
    cleaned = text.replace("\x00", "\ufffd")
    return f"'{cleaned}" if cleaned.startswith(_FORMULA) or cleaned.lstrip().startswith(_FORMULA) else cleaned


def cell(value: Any) -> Any:
    """One cell: empty where there is no value, numbers untouched, dates in ISO 8601."""
    if value is None or (not isinstance(value, list) and is_missing(value)):
        return ""
    if isinstance(value, list | tuple):
        return safe_text(" > ".join(map(str, value)))
    if isinstance(value, str):
        return safe_text(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def to_csv(title: str, told: Iterable[tuple[str, str]], labels: Sequence[str], frame: pd.DataFrame) -> str:
    """A table with its title and filters in lines that begin with #, then the header and the rows."""
    out = io.StringIO()
    writer = csv.writer(out)
    for name, value in [("Table", title), *told]:
        writer.writerow([f"# {name}: {' '.join(value.split())}"])  # one cell, whatever separators are in it
    writer.writerow(labels)
    writer.writerows([cell(value) for value in row] for row in frame.itertuples(index=False, name=None))
    return out.getvalue()
