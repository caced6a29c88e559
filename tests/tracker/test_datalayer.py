"""A page that speaks GA4: the few lines of docs/coming-from.md bring its e-commerce events to the collector."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

from playwright.sync_api import Page

from books import assert_books_balance, loaded
from clickstream_dagster.stack import Stack
from tracker_site import Collector, Shop

DOCS = Path(__file__).resolve().parents[2] / "docs" / "coming-from.md"
ITEM = {"item_id": "LAMP-1", "item_name": "Lamp", "price": 20, "quantity": 2}
NAMES = ["view_item_list", "select_item", "view_item", "add_to_cart", "begin_checkout"]


def test_pushes_into_the_data_layer_are_events_of_ours(
    shop: Shop, collector: Collector, page: Page, stack: Stack
) -> None:
    glue = re.search(r"```js\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert glue
    shop.head = f"<script>{glue[1]}</script>"
    page.goto(shop.url + "/lamp")
    order = {"transaction_id": "T-1", "value": 45, "shipping": 5, "currency": "EUR", "items": [ITEM]}
    for name in NAMES:
        page.evaluate(
            f"dataLayer.push({json.dumps({'event': name, 'ecommerce': {'currency': 'EUR', 'items': [ITEM]}})})"
        )
    page.evaluate(f"(function () {{ dataLayer.push(arguments) }})('event', 'purchase', {json.dumps(order)})")
    assert page.evaluate("dataLayer.length") == len(NAMES) + 1
    page.evaluate("clickstream.flush()")
    page.wait_for_function("clickstream.pending().then((left) => left === 0)")
    events = {event["event_name"]: event for event in collector.lines()}
    assert {"view_item_list", "select_item", "view_product", "add_to_cart", "checkout", "purchase"} <= events.keys()
    assert (events["add_to_cart"]["product"]["id"], events["add_to_cart"]["quantity"]) == ("LAMP-1", 2)
    assert (events["purchase"]["order"]["id"], events["purchase"]["order"]["value"]) == ("T-1", 45)
    assert events["purchase"]["client_id"] == events["view_product"]["client_id"]
    page.close()
    ask = loaded(stack, collector)
    assert_books_balance(ask, collector)
    assert ask("select order_id, revenue, adjustment, currency from fact_orders") == [
        ("T-1", Decimal(45), Decimal(5), "EUR")
    ]
    assert ask(
        "select product_id, shown_sessions, clicked_sessions, views, added_sessions, revenue from agg_daily_products"
    ) == [("LAMP-1", 1, 1, 1, 1, Decimal(40))]
    assert ask("select event_name from agg_daily_funnel where sessions > 0 group by step, 1 order by step") == [
        (name,) for name in ("view_product", "add_to_cart", "checkout", "purchase")
    ]
