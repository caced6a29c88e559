"""The list of bad inputs and faults (`rows.yml`) as the table of docs/reliability.md; `python tests/reliability/rows.py`
writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "reliability.md"
_BEGIN, _END = "<!-- rows: begin -->\n", "<!-- rows: end -->\n"


def rows() -> list[dict[str, Any]]:
    """The list."""
    return list(yaml.safe_load((TESTS / "reliability" / "rows.yml").read_text()))


def page() -> str:
    """The page with its table."""
    before, _, rest = PAGE.read_text().partition(_BEGIN)
    return before + _BEGIN + "\n".join(_table()) + "\n" + _END + rest.partition(_END)[2]


def _table() -> list[str]:
    lines = ["| # | what comes | what happens | held by | open |", "|---|---|---|---|---|"]
    for row in rows():
        held = "<br>".join(f"{name.partition('::')[0]}: {_words(name)}" for name in row.get("tests", ()))
        cells = (str(row["row"]), row["input"], row["expected"], held or "–", row.get("open", ""))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _words(name: str) -> str:
    return name.partition("::test_")[2].replace("_", " ")


if __name__ == "__main__":
    PAGE.write_text(page())
