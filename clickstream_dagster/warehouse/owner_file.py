"""A file of the owner's that lists named things (segments.yml, funnels.yml), and what is said of one that cannot be used."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

import yaml

from clickstream_dagster.settings import SettingsError

#: A thing as a row, its name first.
Row = TypeVar("Row", bound=tuple[Any, ...])
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


def text_of(file: Path, setting: str, unusable: type[SettingsError]) -> str:
    """What is in the file that a setting names."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise unusable(f"{setting} names {file}, which cannot be read: {error}") from None


def listed(text: str, kind: str, row_of: Callable[[Any, int], Row], unusable: type[SettingsError]) -> list[Row]:
    """A row for each thing of the list `kind`s, by what it says and its place."""
    try:
        file = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise unusable(f"{kind}s.yml cannot be read: {' '.join(str(error).split())}. Mend it there.") from None
    entries = file.get(f"{kind}s") if isinstance(file, dict) else None
    if not isinstance(entries, list):
        raise unusable(f"{kind}s.yml has no list '{kind}s'. Compare it with the one that came along.")
    found = [row_of(entry, place) for place, entry in enumerate(entries, 1)]
    names = [row[0] for row in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise unusable(f"{kind}s.yml has two {kind}s {twice[0]!r}; give one of them another name.")
    return found


def is_name(name: Any) -> TypeGuard[str]:
    """Whether this can be the name of one: on a command line and in an address."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None
