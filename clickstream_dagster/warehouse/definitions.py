"""What each metric and dimension means: `dbt_like_sql/definitions.yml`, the one place that says so.

The columns that have a metric say so in Dagster and in the database's comments. The dashboard and docs/metrics.md have copies,
which a test holds current. Write them again with

    python -m clickstream_dagster.warehouse.definitions
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = _ROOT / "docs" / "metrics.md"
DASHBOARD = _ROOT / "shiny" / "definitions.json"
_BEGIN, _END = "<!-- from dbt_like_sql/definitions.yml -->\n", "<!-- to here -->\n"


def read_yaml(*path: str) -> Any:
    """A file of `dbt_like_sql/`. By libyaml where there is one: each process that starts reads all of them, and Python's own
    parser takes nine times as long."""
    text = files("dbt_like_sql").joinpath(*path).read_text()
    return yaml.load(text, yaml.CSafeLoader) if yaml.__with_libyaml__ else yaml.safe_load(text)


@dataclass(frozen=True)
class Definition:
    """A metric or dimension: what it means in a sentence or two, what there is to say besides, where it is, in words, and the
    names of the columns that are it."""

    name: str
    group: str
    means: str
    more: str = ""
    where: str = ""
    columns: tuple[str, ...] = ()


@cache
def definitions() -> Mapping[str, Definition]:
    """All of them by name, in the order of the file."""
    groups = read_yaml("definitions.yml")
    found: dict[str, Definition] = {}
    for group, entries in groups.items():
        for name, entry in entries.items():
            if name in found:
                raise ValueError(f"definitions.yml defines {name!r} twice, under {found[name].group!r} and {group!r}.")
            found[name] = Definition(name, group, **{**entry, "columns": tuple(entry.get("columns", ()))})
    return found


def plain(text: str) -> str:
    """Without the marks of Markdown, for a place that shows text as it is."""
    return text.replace("`", "")


@cache
def by_column() -> Mapping[str, Definition]:
    """What the columns mean that are a metric or dimension in whatever table they are."""
    return {column: entry for entry in definitions().values() for column in entry.columns}


def dashboard_text() -> str:
    """`shiny/definitions.json`: what a tooltip says, by name."""
    return json.dumps({name: plain(entry.means) for name, entry in definitions().items()}, indent=1) + "\n"


def document_text(document: str) -> str:
    """The page of metrics with its tables written again; what stands around them is kept."""
    before, rest = document.split(_BEGIN)
    after = rest.split(_END)[1]
    groups = dict.fromkeys(entry.group for entry in definitions().values())
    return before + _BEGIN + "".join(map(_table, groups)) + "\n" + _END + after


def _table(group: str) -> str:
    entries = (entry for entry in definitions().values() if entry.group == group)
    rows = (
        f"| {entry.name} | {' '.join(filter(None, (entry.means, entry.more)))} | {entry.where} |\n" for entry in entries
    )
    return f"\n## {group}\n\n| metric | definition | where |\n|---|---|---|\n" + "".join(rows)


if __name__ == "__main__":
    DASHBOARD.write_text(dashboard_text())
    DOCUMENT.write_text(document_text(DOCUMENT.read_text()))
    print(f"wrote {DASHBOARD} and {DOCUMENT}")
