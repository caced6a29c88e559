"""What shops send in the words of other systems, through the collector into the tables. Each came out wrong once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from clickstream_dagster.stack import Stack
from support.posting import post
from support.stories import rows

GA4_ORDER = {
    "transaction_id": "T_1",
    "currency": "USD",
    "value": 30.03,
    "tax": 1,
    "shipping": 2,
    "items": [{"item_id": "SKU_1", "item_name": "Tee", "price": 10.01, "quantity": 3}],
}


def test_a_ga4_purchase_and_its_reloads_are_one_order(stack: Stack) -> None:
    post(stack, *[{"event": "purchase", "client_id": "c1", "ecommerce": GA4_ORDER}] * 3)
    found = rows(stack, "select order_id, revenue, tax, shipping, item_count from fact_orders")
    assert found == [("T_1", Decimal("30.03"), 1, 2, 3)]


def test_a_ga4_add_to_cart_adds_each_of_its_products(stack: Stack) -> None:
    items = [{"item_id": "P1", "price": 10, "quantity": 1}, {"item_id": "P2", "price": 20, "quantity": 1}]
    ecommerce = {"currency": "USD", "value": 30, "items": items}
    post(stack, {"event": "add_to_cart", "client_id": "a", "ecommerce": ecommerce})
    found = rows(stack, "select product_id, added_sessions from agg_daily_products order by product_id")
    assert found == [("P1", 1), ("P2", 1)]


def test_a_segment_order_has_its_id_and_what_was_paid(stack: Stack) -> None:
    lines = [{"product_id": "x", "price": 19, "quantity": 1}]
    properties = {"order_id": "S-1", "revenue": 22.5, "total": 27.5, "currency": "USD", "products": lines}
    track = {
        "type": "track",
        "event": "Order Completed",
        "anonymousId": "c3",
        "messageId": "m1",
        "properties": properties,
    }
    post(stack, track, {**track, "event": "purchase"}, track)
    assert rows(stack, "select order_id, revenue, adjustment from fact_orders") == [
        ("S-1", Decimal("27.5"), Decimal("8.5"))
    ]
    assert rows(stack, "select count(*) from clickstream_events") == [(1,)]


def test_a_segment_batch_is_its_events(stack: Stack) -> None:
    calls: list[dict[str, Any]] = [
        {"type": "track", "event": "Product Viewed", "anonymousId": "x", "properties": {"product_id": "p"}},
        {"type": "track", "event": "Product Added", "anonymousId": "x", "properties": {"product_id": "p"}},
        {"type": "page", "anonymousId": "x", "properties": {"url": "https://shop.example/"}},
        {"type": "identify", "anonymousId": "x", "userId": "u"},
        {"type": "group", "anonymousId": "x", "groupId": "g"},
    ]
    [reply] = post(stack, {"batch": calls, "sentAt": "2026-03-14T15:09:00Z"})
    assert (reply["accepted"], reply["rejected"]) == (4, 1)
    assert "Segment" in reply["errors"][0]["message"]
    assert sorted(name for (name,) in rows(stack, "select event_name from clickstream_events")) == [
        *("add_to_cart", "login", "page_view", "view_product")
    ]


def test_a_measurement_protocol_purchase(stack: Stack) -> None:
    post(stack, {"client_id": "c1.2", "events": [{"name": "purchase", "params": GA4_ORDER}, {"name": "page_view"}]})
    assert rows(stack, "select order_id, revenue from fact_orders") == [("T_1", Decimal("30.03"))]


def test_two_strangers_whose_ga4_sessions_began_in_one_second_are_not_one(stack: Stack) -> None:
    push = {"event": "page_view", "ga_session_id": "1770000000"}
    [_, alone] = post(stack, {**push, "client_id": "a"}, push)
    assert (alone["status"], alone["errors"][0]["code"]) == (400, "missing_visitor")


def test_a_page_that_mixes_ga4s_words_and_ours_loses_none(stack: Stack) -> None:
    page = {"client_id": "c", "page_url": "https://shop.example/thanks", "consent": "granted"}
    post(stack, {"event": "purchase", **page, "ecommerce": GA4_ORDER})
    assert rows(stack, "select page_path, consent, order_id from clickstream_events") == [("/thanks", "granted", "T_1")]
