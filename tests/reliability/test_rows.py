"""Every row of the list of bad inputs has a test that exists, or a reason; and the page says so."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from reliability import rows as listed

ROWS = listed.rows()


def test_no_row_is_left_out() -> None:
    assert [row["row"] for row in ROWS] == list(range(1, 49))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["row"]))
def test_a_row_has_a_test_that_exists_or_a_reason(row: dict[str, Any]) -> None:
    assert row.get("tests") or row.get("open"), f"row {row['row']} has neither a test nor a reason"
    for name in row.get("tests", ()):
        file, _, function = name.partition("::")
        assert function in _functions(listed.TESTS / file), f"row {row['row']}: there is no {name}"


def test_the_page_is_current() -> None:
    assert listed.PAGE.read_text() == listed.page(), "run python tests/reliability/rows.py"


def _functions(file: Path) -> set[str]:
    assert file.exists(), f"there is no {file}"
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}
