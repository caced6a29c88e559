"""Each dialect through the collector, as its senders put many into one request."""

from __future__ import annotations

import json
from typing import Any

import pytest

VIEW = {"type": "track", "event": "Product Viewed", "anonymousId": "x"}


def test_a_batch_of_segment_is_as_many_events(collector: Any) -> None:
    calls = [VIEW, {**VIEW, "event": "Product Added"}, {"type": "alias", "userId": "u"}]
    answer = collector.post(
        {"batch": calls, "sentAt": "2026-03-14T15:09:26Z", "writeKey": "k-1", "context": {"ip": "198.51.100.7"}}
    )
    assert (answer.body["accepted"], answer.body["rejected"]) == (2, 1)
    assert "alias and group" in answer.body["errors"][0]["message"]
    assert [event["event_name"] for event in collector.events()] == ["view_product", "add_to_cart"]
    assert all(event["sent_at"] and event["client_id"] == "x" for event in collector.events())
    assert "k-1" not in json.dumps(collector.events()) and "198.51" not in json.dumps(collector.events())


def test_a_payload_of_the_measurement_protocol(collector: Any) -> None:
    body = {
        "client_id": "c.1",
        "timestamp_micros": 1773500000000000,
        "user_data": {"sha256_email_address": ["ab"]},
        "events": [
            {"name": "view_item", "params": {"items": [{"item_id": "a"}]}},
            {"name": "tutorial_begin", "params": {}},
        ],
    }
    assert collector.post(body).body["accepted"] == 2
    one, other = collector.events()
    assert (one["event_name"], one["product"], other["event_name"]) == ("view_product", {"id": "a"}, "tutorial_begin")
    assert {event["client_id"] for event in (one, other)} == {"c.1"}
    assert {event["event_timestamp"] for event in (one, other)} == {"2026-03-14T14:53:20Z"}
    assert "sha256" not in json.dumps(one)


def test_keys_in_camel_case_are_the_same_keys(collector: Any) -> None:
    order = {"orderId": "S1", "total": 30, "products": [{"productId": "p", "price": 30}]}
    push = {
        "event": "purchase",
        "client_id": "c",
        "userData": {"x": "Ann"},
        "ecommerce": {"transactionId": "T", "value": 5},
    }
    assert collector.post([{**VIEW, "event": "Order Completed", "properties": order}, push]).body["warnings"] == []
    one, other = collector.events()
    assert one["order"] == {"id": "S1", "value": 30, "items": [{"product_id": "p", "price": 30}]}
    assert (other["order"], other["props"]) == ({"id": "T", "value": 5}, {"_dropped": ["user_data"]})


def test_the_names_of_google_are_ours(collector: Any, view: dict[str, Any]) -> None:
    names = {"view_item": "view_product", "begin_checkout": "checkout", "view_search_results": "search"}
    assert collector.post([view | {"event_name": name} for name in names]).body["accepted"] == 3
    assert [event["event_name"] for event in collector.events()] == list(names.values())


def test_what_the_tag_manager_tells_itself_is_no_event(collector: Any) -> None:
    answer = collector.post({"event": "gtm.js", "gtm.start": 1773500000000, "gtm.uniqueEventId": 1})
    assert (answer.status, answer.codes) == (400, ["invalid_event"])
    assert "gtm.js" in answer.body["errors"][0]["message"]


def test_events_of_the_measurement_protocol_need_no_parameters(collector: Any) -> None:
    body = {
        "client_id": "c.1",
        "user_location": {"country_id": "VN"},
        "events": [{"name": "login"}, {"name": "view_item"}],
    }
    assert collector.post(body).body["accepted"] == 2
    assert [event["event_name"] for event in collector.events()] == ["login", "view_product"]
    assert {event["geo"]["country"] for event in collector.events()} == {"VN"}


def test_an_envelope_of_ours_is_read_whatever_its_events_call_a_name(collector: Any) -> None:
    events = [{"eventName": "view", "product": {"id": "p", "name": "Mug"}}]
    assert collector.post({"clientId": "c", "sentAt": "2026-03-14T15:09:26Z", "events": events}).body["accepted"] == 1
    assert collector.events()[0]["sent_at"] == "2026-03-14T15:09:26Z"


def test_a_call_of_gtag_is_one_event_and_a_list_of_them_is_many(collector: Any) -> None:
    call = ["event", "begin_checkout", {"client_id": "c", "items": [{"item_id": "a"}]}]
    assert collector.post(call).body["accepted"] == 1
    assert collector.post([call, call]).body["accepted"] == 2
    assert {event["event_name"] for event in collector.events()} == {"checkout"}


def test_an_event_of_snowplow(collector: Any) -> None:
    record = {"collector_tstamp": "2026-03-14 15:00:00", "event_name": "page_view", "domain_userid": "d"}
    assert collector.post(record).body["accepted"] == 1


def test_a_list_of_ours_with_a_text_in_it_loses_only_the_text(collector: Any, view: dict[str, Any]) -> None:
    assert collector.post(["x", view]).body == collector.post([7, view]).body


FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(
    ("agent", "fields", "country"),
    [
        (FIREFOX, {}, "IE"),
        (FIREFOX, {"user_agent": FIREFOX}, "IE"),
        ("MyShop/120 CFNetwork/1404.0.5 Darwin/22.3.0", {}, "IE"),
        (FIREFOX, {"user_agent": "Mozilla/5.0 (iPhone)"}, None),
        ("Go-http-client/1.1", {"user_agent": FIREFOX}, None),
        ("Go-http-client/1.1", {}, None),
        ("Go-http-client/1.1", {"geo": {"country": "VN"}}, "VN"),
        (FIREFOX, {"user_agent": "Mozilla/5.0 (iPhone)", "geo": {"country": "VN"}}, "VN"),
    ],
)
def test_the_country_of_a_server_is_not_its_visitors(
    collector: Any, view: dict[str, Any], agent: str, fields: dict[str, Any], country: str | None
) -> None:
    for body in (view | fields, {**fields, "events": [view]}):
        collector.post(body, user_agent=agent, cloudfront_viewer_country="IE")
    assert [event.get("geo", {}).get("country") for event in collector.events()] == [country] * 2
