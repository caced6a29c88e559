"""Formats that come with clickstream: GA4's export to BigQuery and access logs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from cli_command import Command

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "importer" / "cases"
WEBLOG = ROOT.parent / "shared" / "data" / "weblog_2015_may.log"
SALT = "a secret of the shop"


def texts(command: Command) -> list[bytes]:
    return [gzip.decompress((command.home / "raw" / key).read_bytes()) for key in command.stored()]


def events(command: Command) -> list[dict[str, Any]]:
    lines = [json.loads(line) for text in texts(command) for line in text.splitlines()]
    return sorted((one for one in lines if "event_id" in one), key=lambda one: one["event_timestamp"])


def test_rows_of_bigquery(clickstream: Command) -> None:
    done = clickstream("import", CASES / "ga4_bigquery.ndjson", "--as", "ga4-bigquery", "--allow-refused")
    assert done.code == 0, done.err
    view, item, checkout, purchase, second = events(clickstream)
    assert view["page_url"] == "https://shop.example/mice?utm_source=news"
    assert view["event_timestamp"] == "2026-11-20T10:00:00.123456Z"
    assert (view.get("session_id"), view["props"]["ga_session_id"]) == (None, "1795168790")
    assert view["device"] == {"type": "mobile", "os": "Android", "browser": "Chrome", "language": "de-de"}
    assert (view["geo"], view["props"]["country"]) == ({"region": "Hamburg", "city": "Hamburg"}, "Germany")
    assert item["event_name"] == "view_product"
    assert item["product"] == {"id": "SKU-1", "name": "Mouse", "brand": "Acme", "category": "Mice", "price": 19.99}
    assert checkout["event_name"] == "checkout"
    assert "SKU-2" in json.dumps(checkout)
    assert (purchase["user_id"], purchase["currency"]) == ("u-1", "EUR")
    assert (purchase["order"]["id"], purchase["order"]["value"]) == ("T-7", 44.98)
    assert [(line["product_id"], line.get("quantity", 1)) for line in purchase["order"]["items"]] == [
        ("SKU-1", 2),
        ("SKU-2", 1),
    ]
    assert second["order"] == {"value": 30}
    assert "1 rejected: missing_visitor" in done.out


def test_an_access_log_asks_for_the_secret_of_its_hashes(clickstream: Command) -> None:
    assert "set CLICKSTREAM_HASH_SALT" in clickstream("import", CASES / "access.log", "--as", "access-log").sentence
    assert clickstream.stored() == []


def test_pages_of_an_access_log(clickstream: Command) -> None:
    done = clickstream(
        "import", CASES / "access.log", "--as", "access-log", "--allow-refused", CLICKSTREAM_HASH_SALT=SALT
    )
    assert "3 left out: no page view" in done.out
    assert "1 rejected: invalid_row" in done.out
    first, second, third = events(clickstream)
    assert (first["page_url"], first["referrer"]) == ("/p/mouse?utm_source=x", "https://www.google.com/")
    assert first["event_timestamp"] == "2026-05-18T21:05:03Z"
    assert first["client_id"] == second["client_id"] != third["client_id"]
    assert (third["page_url"], third["user_agent"]) == ("https://shop.example/", 'Agent "quoted"')
    assert not any(address in text for text in texts(clickstream) for address in (b"203.0.113", b"2001:db8"))


def test_another_secret_makes_other_visitors(clickstream: Command, tmp_path: Path) -> None:
    found = []
    for salt in (SALT, "another one"):
        home = Command(tmp_path / salt)
        home("import", CASES / "access.log", "--as", "access-log", "--allow-refused", CLICKSTREAM_HASH_SALT=salt)
        found.append({one["client_id"] for one in events(home)})
    assert found[0].isdisjoint(found[1])


@pytest.mark.skipif(not WEBLOG.exists(), reason="a fresh clone has no data folder")
def test_a_real_access_log(clickstream: Command) -> None:
    done = clickstream("import", WEBLOG, "--as", "access-log", CLICKSTREAM_HASH_SALT=SALT)
    assert done.code == 0, done.err
    pages = events(clickstream)
    # 3,845 by a count of others, which leaves out some kinds of files that a browser shows.
    assert len(pages) == 3_867
    assert len({one["client_id"] for one in pages}) > 1_000
    assert "1 rejected: invalid_row" in done.out
    assert not any(b"83.149.9.216" in text for text in texts(clickstream))


def test_enriched_events_of_snowplow(clickstream: Command) -> None:
    done = clickstream("import", CASES / "snowplow.tsv", "--as", "snowplow", "--allow-refused")
    assert done.code == 0, done.err
    assert "1 rejected: invalid_row" in done.out
    page, view, add, chat, purchase = events(clickstream)
    assert [one["event_name"] for one in (page, view, add, chat, purchase)] == [
        *("page_view", "view_product", "add_to_cart", "open_chat", "purchase")
    ]
    assert (page["event_timestamp"], page["page_title"]) == ("2026-11-20T10:00:01Z", "Mice")
    assert page["geo"] == {"country": "DE", "city": "Hamburg"}
    assert {one["client_id"] for one in (page, view, add, chat, purchase)} == {"b0e1c2d3-1111-4222-8333-944455566677"}
    assert (view["product"]["id"], view["product"]["price"], add["quantity"]) == ("SKU-1", 19.99, 2)
    assert (chat["props"]["se_category"], chat["props"]["se_label"]) == ("help", "size")
    assert (purchase["order"]["id"], purchase["order"]["value"], purchase["order"]["shipping"]) == ("T-7", 44.98, 5)
    assert purchase["order"]["items"][0]["quantity"] == 2
    stored = b"".join(texts(clickstream))
    assert b"203.0.113.7" not in stored
    assert b"20095" not in stored


def test_calls_of_segment(clickstream: Command) -> None:
    done = clickstream("import", CASES / "segment.ndjson", "--as", "segment", "--allow-refused")
    assert done.code == 0, done.err
    assert "1 rejected: invalid_event" in done.out
    page, add, login, purchase = events(clickstream)
    assert [one["event_name"] for one in (page, add, login, purchase)] == [
        *("page_view", "add_to_cart", "login", "purchase")
    ]
    assert (add["product"]["id"], add["quantity"], login["user_id"]) == ("SKU-1", 2, "u-1")
    assert (purchase["order"]["id"], purchase["order"]["value"]) == ("T-8", 44.98)
    assert b"jo@example.com" not in b"".join(texts(clickstream))


def test_an_array_of_calls(clickstream: Command, tmp_path: Path) -> None:
    calls = [json.loads(line) for line in (CASES / "segment.ndjson").read_text().splitlines()[:4]]
    (tmp_path / "calls.json").write_text(json.dumps(calls, indent=2))
    done = clickstream("import", tmp_path / "calls.json", "--as", "segment")
    assert done.code == 0, done.err
    assert len(events(clickstream)) == 4
