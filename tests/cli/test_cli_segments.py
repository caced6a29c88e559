"""`clickstream segment`: the list, the ids of one as CSV, and what is said of a name that is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_command import Command

ORDERS = "time,user,order,total\n2026-04-01T10:00:00Z,ann,o1,20\n2026-04-02T10:00:00Z,ann,o2,20\n2026-04-01T11:00:00Z,bob,o3,5\n"
MAPPING = """
columns:
  event_name: {value: purchase}
  event_timestamp: time
  client_id: user
  order.id: order
  order.value: total
"""
MINE = "segments: [{name: regulars, label: Bought twice, where: {purchases: {at_least: 2}}}]"


@pytest.fixture(scope="module")
def sold(on_server: Command, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A warehouse of two people with orders, and a segment of the owner's."""
    folder = tmp_path_factory.mktemp("files")
    for name, text in (("orders.csv", ORDERS), ("mapping.yml", MAPPING), ("mine.yml", MINE)):
        (folder / name).write_text(text)
    command = Command(on_server.home, {**on_server.environ, "CLICKSTREAM_SEGMENTS": str(folder / "mine.yml")})
    assert command("import", folder / "orders.csv", "--map", folder / "mapping.yml").code == 0
    assert command("materialize").code == 0
    return command


def test_the_list_has_each_segment_with_its_label_and_size(sold: Command) -> None:
    [line] = [line for line in sold("segment").out.splitlines() if "regulars" in line]
    assert [cell.strip() for cell in line.strip("│ ").split("│")] == ["regulars", "Bought twice", "1"]


def test_a_segment_is_ids_and_nothing_else(sold: Command) -> None:
    assert sold("segment", "regulars").out == "person_id\nann\n"


def test_a_name_that_is_none_names_those_that_are(sold: Command) -> None:
    assert sold("segment", "regular").sentence == "There is no segment 'regular'; segments.yml has regulars."


def test_a_file_that_cannot_be_used_stops_the_command_in_a_sentence(sold: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text("segments: [{name: a, where: {spend: 5}}]")
    said = sold("segment", CLICKSTREAM_SEGMENTS=str(tmp_path / "mine.yml")).sentence
    assert said.startswith("segments.yml, a: 'spend' is no condition; there are visits, orders, purchases, revenue,")
