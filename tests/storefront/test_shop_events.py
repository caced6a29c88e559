"""What the shop tells of a visit: every event arrives at the real collector, passes the contract without a warning, and makes the
order in the warehouse that stands in the shop's books."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from buyer import order_id, pay, put_into_cart
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda.settings import open_store
from shop_site import Shop

MOUSE = "sku-1026"


@pytest.fixture(autouse=True)
def enough(storefront: Shop) -> None:
    storefront.set_stock(50, MOUSE)


def visitor(page: Page) -> str:
    """The tracker's id of this browser."""
    [cookie] = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "_cs"]
    return cookie.split(":")[1]


def arrived(page: Page, shop: Shop, last: str) -> list[dict[str, Any]]:
    """The visitor's events, once the one of this name is among them."""
    mine: list[dict[str, Any]] = []
    for _ in range(150):
        mine = [line for line in shop.events() if line.get("client_id") == visitor(page)]
        if any(line["event_name"] == last for line in mine):
            break
        page.wait_for_timeout(100)
    return mine


def test_a_visit_tells_all_that_happened(storefront: Shop, page: Page) -> None:
    page.goto(f"{storefront.url}/?utm_source=newsletter&utm_medium=email")
    page.get_by_role("button", name="Accept all").click()
    page.get_by_role("navigation", name="Categories").get_by_role("link", name="Mice").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mice")
    expect(page).to_have_title("Mice | Bitforge")  # which Next.js may send after the page
    page.get_by_role("link", name="Glide Pro").click()
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("searchbox").fill("labtop")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_text("No products found")).to_be_visible()
    page.get_by_role("link", name="Cart").click()
    expect(page).to_have_title("Your cart | Bitforge")
    page.get_by_label("Quantity of Quillon Glide Pro").select_option("3")
    expect(page.get_by_role("strong").filter(has_text="$207.00")).to_be_visible()
    page.get_by_label("Quantity of Quillon Glide Pro").select_option("2")
    expect(page.get_by_role("strong").filter(has_text="$138.00")).to_be_visible()
    page.get_by_role("link", name="To the checkout").click()
    page.get_by_label("Express, tomorrow").check()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    order = order_id(page)
    events = arrived(page, storefront, "purchase")

    names = Counter(line["event_name"] for line in events)
    names.pop("engagement", None)
    assert names == {
        # home, category, search, cart, checkout, thank-you; the product's page is the view of its product
        "page_view": 6,
        "view_product": 1,
        "view_item_list": names["view_item_list"],
        "select_item": 1,
        "search": 1,
        "add_to_cart": 2,
        "remove_from_cart": 1,
        "checkout": 1,
        "add_shipping_info": 1,
        "add_payment_info": 1,
        "purchase": 1,
    }
    assert not [line for line in events if line.get("warnings")]
    assert storefront.events("rejected") == []
    told = {line["event_name"]: line for line in events}
    assert told["view_product"]["product"]["discount_price"] == 69
    assert (told["search"]["search_query"], told["search"]["props"]["results"]) == ("labtop", 0)
    assert told["select_item"]["list_name"] == "Mice"
    assert {line["product_id"] for line in told["view_item_list"]["items"]} >= {MOUSE}
    titles = {
        line["page_url"].partition("?")[0]: line.get("page_title")
        for line in events
        if line["event_name"] == "page_view"
    }
    assert titles[f"{storefront.url}/category/mice"] == "Mice | Bitforge"
    assert titles[f"{storefront.url}/cart"] == "Your cart | Bitforge"
    # The shop's books know the visitor, and say what the event says.
    [(total, shipping, tax, client)] = storefront.rows(
        "select total, shipping, tax, client_id from orders where order_id = %s", order
    )
    sent = told["purchase"]["order"]
    assert (sent["id"], sent["currency"]) == (order, "USD")
    assert tuple(Decimal(str(sent[name])) for name in ("value", "shipping", "tax")) == (total, shipping, tax)
    assert client == visitor(page)
    assert [(line["product_id"], line["price"], line["quantity"]) for line in sent["items"]] == [(MOUSE, 69, 2)]


def test_the_warehouse_has_the_orders_of_the_shop_once(storefront: Shop, page: Page, stack: Stack) -> None:
    page.goto(storefront.url)
    page.get_by_role("button", name="Accept all").click()
    put_into_cart(page, storefront, MOUSE)
    pay(page, storefront)
    order = order_id(page)
    page.reload()
    arrived(page, storefront, "purchase")
    page.goto("about:blank")
    end = datetime.now(UTC) + timedelta(hours=1)
    with stack.warehouse() as connection:
        load_hours(connection, open_store(f"file://{storefront.home}/raw"), end - timedelta(hours=3), end)
        rebuild_all(connection)
    with stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("select revenue, currency from fact_orders where order_id = %s", (order,))
        found = cursor.fetchall()
    assert found == storefront.rows("select total, currency from orders where order_id = %s", order)


def test_a_thank_you_page_of_another_day_tells_nothing(storefront: Shop, page: Page) -> None:
    page.goto(storefront.url)
    page.get_by_role("button", name="Accept all").click()
    put_into_cart(page, storefront, MOUSE)
    pay(page, storefront)
    order = order_id(page)
    arrived(page, storefront, "purchase")
    page.goto("about:blank")
    storefront.rows("update orders set created_at = created_at - interval '25 hours' where order_id = %s", order)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    page.goto(f"{storefront.url}/thank-you/{order}")
    assert order_id(page) == order
    page.wait_for_timeout(1_500)
    assert any('"page_view"' in body for body in sent)
    assert not any('"purchase"' in body for body in sent)


def test_nothing_is_sent_before_a_choice_nor_after_a_no(storefront: Shop, page: Page) -> None:
    before = len(storefront.events())
    put_into_cart(page, storefront, MOUSE)
    page.wait_for_timeout(1_500)
    assert len(storefront.events()) == before
    page.get_by_role("button", name="No", exact=True).click()
    pay(page, storefront)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_role("heading", name="May we count your visit?")).to_be_hidden()
    page.wait_for_timeout(1_500)
    assert len(storefront.events()) == before
    assert {cookie["name"] for cookie in page.context.cookies()} <= {"consent", "cart"}
