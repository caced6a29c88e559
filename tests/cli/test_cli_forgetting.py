"""Imports are listed, taken back and done again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli_command import Command

NAME = re.compile(r"^│ *([0-9a-f]{12}) ", re.MULTILINE)
CASES = Path(__file__).resolve().parents[1] / "importer" / "cases"


def names(command: Command) -> list[str]:
    """The names of the imports that are listed, the first first."""
    return NAME.findall(command("imports", COLUMNS="200").out)


def counted(command: Command) -> dict[str, str]:
    command("materialize")
    shown = command(
        "sql",
        "--csv",
        "select count(*) as events, count(distinct order_id) as orders, min(event_timestamp)::date as day from fact_events",
    ).out
    header, values = shown.splitlines()
    return dict(zip(header.split(","), values.split(","), strict=True))


@pytest.fixture
def emptied(on_server: Command) -> Command:
    """The command on a warehouse without imports."""
    if found := names(on_server):
        assert on_server("forget", *found).code == 0
    return on_server


def test_a_file_that_was_read_wrongly_is_replaced(emptied: Command) -> None:
    assert emptied("import", CASES / "dayfirst.csv", "--map", CASES / "us.yml").code == 0
    assert counted(emptied) == {"events": "2", "orders": "2", "day": "2026-03-04"}
    again = emptied("import", CASES / "dayfirst.csv", "--map", CASES / "eu.yml", "--replace")
    assert "2 loaded events left the warehouse" in again.out
    assert counted(emptied) == {"events": "2", "orders": "2", "day": "2026-04-03"}
    assert len(names(emptied)) == 1
    same = emptied("import", CASES / "dayfirst.csv", "--map", CASES / "eu.yml", "--replace")
    assert "imported before, nothing new (2 events)" in same.out


def test_a_better_export_under_another_name_follows_one_that_is_forgotten(emptied: Command) -> None:
    assert emptied("import", CASES / "remap3.csv", "--map", CASES / "remap3a.yml").code == 0
    before = counted(emptied)
    [name] = names(emptied)
    assert "Bring every table up to date" in emptied("forget", name[:5]).out
    assert emptied("import", CASES / "remap3_tz.csv", "--map", CASES / "remap3b.yml").code == 0
    assert counted(emptied) == before
    assert "There is no import" in emptied("forget", name).sentence


def test_the_list_says_what_was_brought(emptied: Command) -> None:
    emptied("import", CASES / "remap.csv", "--map", CASES / "remap1.yml", "--allow-refused")
    shown = emptied("imports", COLUMNS="200").out
    [line] = [line for line in shown.splitlines() if "remap.csv" in line]
    cells = [cell.strip() for cell in line.split("│")]
    assert cells[3:7] == ["remap.csv", "remap1.yml", "3", "1"]
    assert "not finished" not in shown


def test_one_that_was_cut_off_is_said_to_be(emptied: Command) -> None:
    emptied("import", CASES / "remap.csv", "--map", CASES / "remap2.yml")
    [note] = (emptied.home / "raw" / "imports").iterdir()
    said = json.loads(note.read_text())
    del said["finished_at"]
    note.write_text(json.dumps(said))
    assert "not finished" in emptied("imports", COLUMNS="200").out
    assert emptied("forget", note.stem).code == 0
    assert emptied.stored() == []
    assert "Nothing was imported yet" in emptied("imports").out


def test_files_of_one_name_that_come_together_do_not_replace_each_other(emptied: Command, tmp_path: Path) -> None:
    files = [tmp_path / month / "orders.csv" for month in ("jan", "feb")]
    for number, file in enumerate(files):
        file.parent.mkdir()
        file.write_text(f"time,user,order,total\n03/04/2026 10:00,u{number},O{number},10\n")
    for _ in range(2):
        assert emptied("import", *files, "--map", CASES / "eu.yml", "--replace").code == 0
        assert len(names(emptied)) == 2
