"""A setting that another terminal forgot is told, since history is built again with what it has."""

from __future__ import annotations

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
