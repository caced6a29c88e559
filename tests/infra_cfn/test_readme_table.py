"""The table of what the design asked for: each resource that it names is in the template that it names, and no row is empty."""

from __future__ import annotations

import re

import pytest

from support.templates import FOLDER, TEMPLATES

HEAD = "| asked for | resource | |"
TABLE = (FOLDER / "README.md").read_text().partition(HEAD)[2].splitlines()[2:]
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TABLE if line.startswith("|")]


def test_the_table_is_there() -> None:
    assert len(ROWS) > 35
    assert all(len(row) == 3 for row in ROWS)
    assert len({asked for asked, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("asked", "where", "state"), ROWS, ids=[row[0] for row in ROWS])
def test_what_a_row_names_is_in_the_templates(asked: str, where: str, state: str) -> None:
    for part in where.split("; "):
        file, *names = re.findall(r"`([\w.]+)`", part)
        assert names, part
        assert set(names) <= TEMPLATES[file.removesuffix(".yaml")]["Resources"].keys(), (file, names)
    verdict, reason = re.match(r"(yes|otherwise|no)\b(.*)", state).groups()  # type: ignore[union-attr]
    assert verdict == "yes" or len(reason) > 20


def test_every_template_of_an_installation_is_in_it() -> None:
    named = {file for _, where, _ in ROWS for file in re.findall(r"`(\w+)\.yaml`", where)}
    assert named == TEMPLATES.keys() - {"root", "artifacts"}
