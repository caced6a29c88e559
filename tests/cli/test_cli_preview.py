"""`clickstream materialize --dry-run` on a shop with a late order."""

from __future__ import annotations

from cli_command import Command

VIEW = '{"event_name": "page_view", "client_id": "c-1", "event_timestamp": "2026-03-01T10:00:00Z"}\n'
ORDER = (
    '{"event_name": "purchase", "client_id": "c-1", "event_timestamp": "2026-03-01T10:05:00Z", '
    '"order": {"id": "A-1", "value": 1250.5, "currency": "EUR"}}\n'
)


def store(embedded: Command, name: str, text: str) -> None:
    place = embedded.home / "raw" / f"events/2026/03/01/10/{name}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def test_what_would_change_is_told_and_then_done(embedded: Command) -> None:
    store(embedded, "a", VIEW)
    embedded("materialize")
    store(embedded, "b", ORDER)
    for _ in range(2):
        told = embedded("materialize", "--dry-run").out
        assert "would receive 1 = load 1 + duplicate 0 + reject 0" in told
        assert "Sun 01 Mar 2026" in told
        assert "0 → 1,250.5" in told
        assert "0 → 1" in told
        assert "Nothing was changed" in told
    assert "received 1 = loaded 1" in embedded("materialize").out
    told = embedded("materialize", "--dry-run").out
    assert "Every object is loaded." in told
    assert "No day's visitors, sessions, orders or revenue would change." in told
