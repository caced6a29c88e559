"""`clickstream spend` as its users type it."""

from __future__ import annotations

from pathlib import Path

from cli_command import Command


def test_costs_are_brought_in_told_and_can_be_asked_for(on_server: Command, tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("date,campaign,cost,currency\n2026-03-01,Spring,10,EUR\n2026-03-02,Spring,1234.5,EUR\n")
    done = on_server("spend", path)
    assert done.code == 0
    for word in ("costs.csv", "2026-03-01", "2026-03-02", "1,244.50", "EUR"):
        assert word in done.out
    asked = on_server("sql", "--csv", "select campaign, sum(cost) from campaign_spend group by 1")
    assert "spring,1244.5" in asked.out


def test_a_mistake_in_one_file_stores_nothing_of_any(on_server: Command, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("date,campaign,cost,currency\n2026-04-01,Late,10,EUR\n")
    bad.write_text("date,campaign,cost,currency\n2026-04-01,Late,ten,EUR\n")
    assert "bad.csv, line 2: 'ten' is no cost" in on_server("spend", good, bad).sentence
    assert "There is no file" in on_server("spend", tmp_path / "none.csv").sentence
    asked = on_server("sql", "--csv", "select count(*) from campaign_spend where campaign = 'late'")
    assert asked.out.splitlines()[-1] == "0"


def test_help_shows_a_file(on_server: Command) -> None:
    assert "2026-11-20,black friday,120.50,EUR,google" in on_server("spend", "--help").out
