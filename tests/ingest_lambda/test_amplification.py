"""Nobody makes the collector store many times what they sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest_lambda import settings

LINES = (0, None, [], "x", {"qty": 0}, {"price": "x"}, {"price": -1}, {"quantity": 0.5}, {"id": [], "name": []})


@pytest.mark.parametrize("line", LINES, ids=repr)
def test_a_list_of_nonsense_is_stored_once_and_warned_of_once(collector: Any, line: Any) -> None:
    lines = [line] * (60_000 // (len(json.dumps(line)) + 2))
    body = {"event_name": "purchase", "client_id": "c", "order": {"id": "A", "value": 5, "items": lines}}
    answer = collector.post(body)
    assert answer.body["accepted"] == 1
    assert 1 <= len(answer.body["warnings"]) <= 2
    assert len(collector.lines()[0]) < 1.5 * len(json.dumps(body))
    assert len(collector.events()[0]["props"]["order"]["items"]) == len(lines)


def test_what_is_said_for_all_events_is_stored_with_each_up_to_the_size_of_a_body(collector: Any, view: Any) -> None:
    shared = {"client_id": "c-9", "props": {"theme": "dark"}, "page_title": "x y " * 20_000}
    answer = collector.post({**shared, "events": [{"event_name": "page_view"}] * 100})
    assert (answer.body["accepted"], answer.body["rejected"]) == (100, 1)
    assert {(event["client_id"], event["props"]["theme"]) for event in collector.events()} == {("c-9", "dark")}
    assert sum(map(len, collector.lines())) < settings.MAX_DECOMPRESSED_BYTES
    assert collector.rejected()[0]["body"].startswith('{"page_title"')
    assert collector.post({**shared, "events": [{"event_name": "page_view"}]}).body["rejected"] == 0


def test_a_list_of_php_is_an_object_of_numbered_members(collector: Any) -> None:
    lines = {"1": {"sku": "a", "price": 2, "qty_ordered": 3}, "3": {"product_id": "b", "price": 5}}
    answer = collector.post({"event_name": "purchase", "client_id": "c", "order": {"id": "A", "items": lines}})
    assert answer.body["warnings"] == []
    assert [(line["product_id"], line.get("quantity")) for line in collector.events()[0]["order"]["items"]] == [
        ("a", 3),
        ("b", None),
    ]


def test_a_line_of_unknown_words_is_warned_of(collector: Any) -> None:
    lines = [{"product_id": "a", "price": 1}, {"article": "x", "amount": 50}]
    answer = collector.post({"event_name": "purchase", "client_id": "c", "order": {"id": "A", "items": lines}})
    assert [(one["code"], one["field"]) for one in answer.body["warnings"]] == [("invalid_items", "order.items[1]")]


def test_a_line_that_is_worth_too_much_costs_itself(collector: Any) -> None:
    lines = [{"product_id": "x", "price": 999_999_999, "quantity": 1.5}, {"product_id": "y", "price": 5}]
    answer = collector.post({"event_name": "purchase", "client_id": "c", "order": {"id": "A", "items": lines}})
    assert {one["field"].partition(".")[0] for one in answer.body["warnings"]} == {"order"}
    assert [line["product_id"] for line in collector.events()[0]["order"]["items"]] == ["y"]


def test_nonsense_beside_the_events_is_not_repeated_with_each_of_them(collector: Any) -> None:
    nonsense = ",".join(f'"k{number}":nope' for number in range(400))
    quantities = ",".join(f'"{word}":"x"' for word in ("qty", "Qty", "QTY", "quantity", "product_quantity"))
    body = f'{{{nonsense},{quantities},"client_id":"c","events":[{{"event_name":"a"}},{{"event_name":"b"}}]}}'
    assert collector.post(body).body["accepted"] == 2
    for event in collector.events():
        assert (len(event["props"]["_ignored"]), len(event["warnings"])) == (10, 1)
