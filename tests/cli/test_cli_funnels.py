"""`clickstream funnel`: the list, one of them as a table, and what is said of a name that is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_command import Command

EVENTS = """time,user,name
2026-04-01T10:00:00Z,ann,view_product
2026-04-01T10:01:00Z,ann,purchase
2026-04-01T11:00:00Z,bob,view_product
"""
MAPPING = "columns: {event_name: name, event_timestamp: time, client_id: user}"
MINE = "funnels: [{name: mine, label: Seen and bought, count: visitors, steps: [view_product, purchase]}]"


@pytest.fixture(scope="module")
def sold(on_server: Command, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A warehouse of two visitors, and a funnel of the owner's."""
    folder = tmp_path_factory.mktemp("files")
    for name, text in (("events.csv", EVENTS), ("mapping.yml", MAPPING), ("mine.yml", MINE)):
        (folder / name).write_text(text)
    command = Command(on_server.home, {**on_server.environ, "CLICKSTREAM_FUNNELS": str(folder / "mine.yml")})
    assert command("import", folder / "events.csv", "--map", folder / "mapping.yml").code == 0
    assert command("materialize").code == 0
    return command


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def test_the_list_has_each_funnel(sold: Command) -> None:
    [line] = [line for line in sold("funnel").out.splitlines() if "mine" in line]
    assert cells(line) == ["mine", "Seen and bought", "2", "visitor", "one session"]


def test_a_funnel_is_a_line_for_each_step(sold: Command) -> None:
    out = sold("funnel", "mine").out
    assert "Seen and bought, 2026-03-05 to 2026-04-01" in out
    assert [cells(line) for line in out.splitlines() if line.startswith("│")] == [
        ["view_product", "2", "–", "–", "–"],
        ["purchase", "1", "50.0 %", "50.0 %", "60 s"],
    ]
    assert "view_product" not in sold("funnel", "mine", "--from", "2026-01-01", "--to", "2026-01-31").out


def test_dates_that_end_before_they_start_are_refused(sold: Command) -> None:
    assert (
        "--from 2026-02-01 is after --to 2026-01-01"
        in sold("funnel", "mine", "--from", "2026-02-01", "--to", "2026-01-01").err
    )


def test_a_name_that_is_none_names_those_that_are(sold: Command) -> None:
    assert sold("funnel", "yours").sentence == "There is no funnel 'yours'; funnels.yml has mine."


def test_a_file_that_cannot_be_used_stops_the_command_in_a_sentence(sold: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text("funnels: [{name: a, steps: [a]}]")
    said = sold("funnel", CLICKSTREAM_FUNNELS=str(tmp_path / "mine.yml")).sentence
    assert said == "funnels.yml, a: it takes from two steps to 8."
