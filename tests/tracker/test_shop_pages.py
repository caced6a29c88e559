"""The demo shop in a browser: what it sends with each consent, what it does without a tracker, and who can use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from clickstream_dagster.local.shop.serving import with_shop
from clickstream_dagster.local.traffic.catalogue import SEARCHES, ZERO_RESULT_SEARCHES
from shopper import delivered, order_one, search, sign_in
from tracker_site import Collector, served, until

PRODUCT = "/shop/product/quillon-glide"


@pytest.fixture
def shop() -> Iterator[Collector]:
    """The collector with the shop beside it; its url is the shop's host."""
    made = Collector()
    with served(with_shop(made)) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


def test_before_a_choice_nothing_is_sent_and_no_cookie_set_and_then_all_of_the_page_is(
    shop: Collector, page: Page
) -> None:
    page.goto(shop.url + PRODUCT)
    page.get_by_role("button", name="Add to cart").click()
    page.wait_for_timeout(1_500)
    assert shop.seen == []
    assert page.context.cookies() == []
    page.get_by_role("button", name="Accept all").click()
    delivered(page)
    assert shop.names()[:2] == ["view_product", "add_to_cart"]
    assert {line["consent"] for line in shop.lines()} == {"granted"}


def test_without_an_id_a_visit_counts_and_nobody_is_named(shop: Collector, page: Page) -> None:
    page.goto(shop.url + PRODUCT)
    page.get_by_role("button", name="Count me without an id").click()
    sign_in(page)
    delivered(page)
    lines = shop.lines()
    assert {line["consent"] for line in lines} == {"essential"}
    assert not [line for line in lines if "client_id" in line or "user_id" in line or line["event_name"] == "login"]
    assert page.context.cookies() == []


def test_a_choice_holds_on_the_next_page_and_can_be_taken_back(shop: Collector, page: Page) -> None:
    page.goto(shop.url + PRODUCT)
    page.get_by_role("button", name="Accept all").click()
    search(page, "labtop", "No products found")
    expect(page.locator("#consent")).to_be_hidden()
    until(lambda: "search" in shop.names())
    page.get_by_role("button", name="Privacy choices").click()
    page.get_by_role("button", name="No", exact=True).click()
    assert page.context.cookies() == []
    sent = len(shop.seen)
    search(page, "mouse", "6 products found")
    page.wait_for_timeout(1_500)
    assert len(shop.seen) == sent


def test_signing_out_ends_the_session_and_forgets_the_user(shop: Collector, page: Page) -> None:
    page.goto(shop.url + "/shop/")
    page.get_by_role("button", name="Accept all").click()
    sign_in(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/shop/")
    delivered(page)
    by_name = {line["event_name"]: line for line in sorted(shop.lines(), key=lambda line: line["event_timestamp"])}
    assert by_name["login"]["identity_source"] == "id_token"
    assert by_name["login"]["user_login_state"] == "logged_in"
    assert "user_id" not in by_name["page_view"]
    assert by_name["page_view"]["session_id"] != by_name["login"]["session_id"]
    assert by_name["page_view"]["client_id"] == by_name["login"]["client_id"]


def test_an_order_is_one_however_often_the_button_is_pressed_and_can_be_given_back(shop: Collector, page: Page) -> None:
    page.goto(shop.url + PRODUCT)
    page.get_by_role("button", name="Accept all").click()
    page.get_by_role("button", name="Add to cart").click()
    page.goto(shop.url + "/shop/checkout")
    # Twice in one go, as an impatient finger does.
    page.evaluate("[1, 2].forEach(() => document.getElementById('order').requestSubmit())")
    page.wait_for_url("**/thank-you*")
    page.go_back()
    expect(page.get_by_text("Your cart is empty.")).to_be_visible()
    page.goto(shop.url + "/shop/account")
    page.get_by_role("button", name="Give it back").click()
    expect(page.get_by_text("Given back.")).to_be_visible()
    delivered(page)
    orders = [(line["event_name"], line["order"]["id"]) for line in shop.lines() if "id" in line.get("order", {})]
    [number] = {number for _, number in orders}
    assert re.fullmatch(r"BF-[0-9A-F]{12}", number)
    assert {name for name, _ in orders} == {"purchase", "refund"}


def test_searches_of_the_invented_visitors_find_what_they_are_meant_to(shop: Collector, page: Page) -> None:
    for query in [query for queries in SEARCHES.values() for query in queries]:
        page.goto(f"{shop.url}/shop/search?q={quote(query)}")
        expect(page.locator("#count"), query).to_have_text(re.compile(r"^[1-9]\d* products? found"))
    for query in ZERO_RESULT_SEARCHES:
        page.goto(f"{shop.url}/shop/search?q={quote(query)}")
        expect(page.locator("#count"), query).to_have_text("No products found")


def test_what_is_searched_for_stays_text(shop: Collector, page: Page) -> None:
    query = "<img src=x onerror=alert(1)>\"'&"
    page.goto(f"{shop.url}/shop/search?q={quote(query)}")
    expect(page.locator("#heading")).to_have_text(f"“{query}”")
    assert page.locator("main img").count() == 0


def test_a_blocked_tracker_does_not_hold_up_the_shop(shop: Collector, context: BrowserContext) -> None:
    context.route("**/clickstream.js", lambda route: route.abort())
    page = context.new_page()
    page.goto(shop.url + "/shop/")
    page.get_by_role("button", name="Accept all").click()
    order_one(page, shop.url + PRODUCT)
    page.get_by_role("button", name="What was sent").click()
    expect(page.locator("#sent")).to_contain_text("Nothing yet.")


def test_the_panel_lists_what_was_sent_and_what_became_of_it(shop: Collector, page: Page) -> None:
    page.goto(shop.url + PRODUCT)
    page.get_by_role("button", name="Accept all").click()
    page.get_by_role("button", name="What was sent").click()
    row = page.locator("#sent li", has_text="view_product")
    expect(row).to_contain_text("Quillon Glide")
    expect(row).to_contain_text("accepted")
    row.locator("summary").click()
    expect(row.locator("pre")).to_contain_text('"consent": "granted"')
    search(page, "labtop", "No products found")
    expect(page.locator("#sent li", has_text="search “labtop”, 0 found")).to_contain_text("accepted")
    expect(row, "of the page before").to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark"), (320, "light")])
def test_everyone_can_use_every_page(shop: Collector, page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(shop.url + "/shop/")
    wrong = problems(page, width)
    page.get_by_role("button", name="Accept all").click()
    for path in (
        "/",
        "/category/graphics-cards",
        "/search?q=gaming",
        "/search?q=labtop",
        "/sign-in",
        "/product/quillon-glide",
    ):
        page.goto(f"{shop.url}/shop{path}")
        wrong += problems(page, width)
    page.get_by_role("button", name="Add to cart").click()
    for path in ("/cart", "/checkout"):
        page.goto(f"{shop.url}/shop{path}")
        wrong += problems(page, width)
    page.get_by_role("button", name="Place the order").click()
    expect(page.locator("#order-id")).to_be_visible()
    page.get_by_role("button", name="What was sent").click()
    expect(page.locator("#sent li")).not_to_have_count(0)
    wrong += problems(page, width)
    page.goto(shop.url + "/shop/account")
    assert wrong + problems(page, width) == []


def problems(page: Page, width: int) -> list[str]:
    """What a person with a screen reader, without colours, or on a small screen would stumble over."""
    expect(page.get_by_role("heading", level=1).first).not_to_be_empty()
    found = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth")
    path = page.url.partition("/shop")[2]
    return [f"{path}: {v['id']} {v['nodes'][0]['target']}" for v in found] + (
        [f"{path}: {wide} wide"] if wide > width else []
    )
