"""Objects that no hour can load, or that lie in no known place, stop nothing and are named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cli_command import Command

EVENT = '{"event_name": "page_view", "client_id": "c-1", "event_timestamp": "2026-03-01T10:00:00Z"}\n'
AHEAD = datetime.now(UTC) + timedelta(days=30)


def test_stray_objects_stop_nothing_and_are_named(embedded: Command) -> None:
    keys = ["1999/01/01/00/a.json", "2026/03/01/10/b.json", f"{AHEAD:%Y/%m/%d}/00/c.json", "2026/03/01/10/sub/d.json"]
    for key in (*(f"events/{key}" for key in keys), "other/e.json"):
        (embedded.home / "raw" / key).parent.mkdir(parents=True, exist_ok=True)
        (embedded.home / "raw" / key).write_text(EVENT)
    loaded = embedded("materialize", COLUMNS="500")
    assert loaded.code == 0
    assert "received 1 = loaded 1" in loaded.out
    shown = embedded("status", COLUMNS="500")
    for said in (loaded.out, shown.out):
        assert "Skipped: 1 object in 1 hour before the first partition" in said
        assert "CLICKSTREAM_FIRST_HOUR=1999-01-01T00:00Z" in said
        assert f"in the future, the first in {AHEAD:%Y-%m-%d} 00:00" in said
    assert "Not in the books: 2 objects in no known place" in shown.out
    assert "other/e.json" in shown.out
    assert "Nothing is left to load or rebuild." in shown.out
    assert "Catch up" not in shown.out
    assert "Everything is loaded" in embedded("materialize").out
