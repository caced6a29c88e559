"""A setting that another terminal forgot is told, since history is built again with what it has."""

from __future__ import annotations

from pathlib import Path

from cli_command import Command

EVENT = '{"event_name": "page_view", "client_id": "c-1", "event_timestamp": "2026-03-01T10:00:00Z"}\n'


def test_settings_that_changed_are_named(embedded: Command) -> None:
    place = embedded.home / "raw" / "events/2026/03/01/10/a.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(EVENT)
    berlin = {"CLICKSTREAM_TIMEZONE": "Europe/Berlin", "COLUMNS": "500"}
    assert "Other settings" not in embedded("materialize", **berlin).out
    said = embedded("materialize", CLICKSTREAM_SHOP_HOSTS="shop.example", COLUMNS="500").out
    assert "timezone Europe/Berlin -> UTC; the rules of channels (the ones that come along, and own hosts)" in said
    assert "Other settings" not in embedded("materialize", CLICKSTREAM_SHOP_HOSTS="shop.example", COLUMNS="500").out


def test_what_only_looks_changes_no_setting(embedded: Command, tmp_path: Path) -> None:
    """Nor the owner's segments and funnels, whatever its terminal has forgotten."""
    mine, steps = tmp_path / "segments.yml", tmp_path / "funnels.yml"
    mine.write_text("segments:\n- {name: everyone, where: {visits: {at_least: 1}}}\n")
    steps.write_text("funnels:\n- {name: mine, steps: [page_view, purchase]}\n")
    owner = {
        "CLICKSTREAM_SEGMENTS": str(mine),
        "CLICKSTREAM_FUNNELS": str(steps),
        "CLICKSTREAM_TIMEZONE": "Asia/Tokyo",
        "CLICKSTREAM_SHOP_HOSTS": "shop.example",
        "COLUMNS": "500",
    }
    done = embedded("materialize", **owner)
    assert done.code == 0, done.err
    assert "Asia/Tokyo" in embedded("sql", "select timezone from shop_settings").out
    assert "everyone" in embedded("segment").out
    assert "mine" in embedded("funnel").out
    embedded("status")
    # Nor what packs or erases, whose terminal an administrator has opened once.
    for command in (
        ("pack",),
        ("export", "--client-id", "c-2"),
        ("erase", "--client-id", "c-2"),
        ("replay", "--dry-run"),
    ):
        assert embedded(*command).code == 0
    assert "Other settings" not in embedded("materialize", **owner).out
    said = embedded("materialize", COLUMNS="500").out
    assert "the segments (CLICKSTREAM_SEGMENTS is not set); the funnels (CLICKSTREAM_FUNNELS is not set)" in said
    assert "everyone" not in embedded("segment").out
