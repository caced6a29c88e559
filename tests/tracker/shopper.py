"""A visitor of the demo shop, by what a person does there: links, buttons, forms."""

from __future__ import annotations

from playwright.sync_api import Page, expect

expect.set_options(timeout=15_000)  # a machine may have other work
CAMPAIGN = "?utm_source=newsletter&utm_medium=email&utm_campaign=weekly-deals"
#: What `shop_around` clicks, one by one. A product's page counts as the view of its product, not as a page view.
CLICKED = {
    "page_view": 11,
    "view_product": 3,
    "click": 3,
    "search": 3,
    "add_to_cart": 2,
    "remove_from_cart": 1,
    "checkout": 1,
    "purchase": 2,
    "login": 1,
}


def shop_around(page: Page, url: str) -> str:
    """One visit, from a newsletter to an order and its reload. Returns the order's id."""
    page.goto(f"{url}/shop/{CAMPAIGN}")
    page.get_by_role("button", name="Accept all").click()
    page.get_by_role("navigation").get_by_role("link", name="Mice").click()
    page.get_by_role("link", name="Glide", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Quillon Glide")
    search(page, "labtop", "No products found")
    search(page, "rx nova", "3 products found")
    page.get_by_role("link", name="RX Nova 70").click()
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add to cart").click()
    search(page, "vertical mouse", "1 product found")
    page.get_by_role("link", name="Vertical", exact=True).click()
    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator("#cart-count")).to_have_text("3")
    sign_in(page)
    page.get_by_role("link", name="Cart").click()
    page.get_by_label("Quantity of Velanta RX Nova 70").fill("1")
    page.get_by_label("Quantity of Velanta RX Nova 70").press("Tab")
    expect(page.locator("#cart-count")).to_have_text("2")
    page.get_by_role("link", name="To the checkout").click()
    page.get_by_role("button", name="Place the order").click()
    order = page.locator("#order-id").inner_text()
    page.reload()
    expect(page.locator("#order-id")).to_have_text(order)
    return order


def search(page: Page, query: str, found: str) -> None:
    page.get_by_role("searchbox").fill(query)
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("#count")).to_have_text(found)


def sign_in(page: Page) -> None:
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Ada")


def delivered(page: Page) -> None:
    """Wait until the collector has acknowledged everything, then leave."""
    page.wait_for_load_state()  # before, the page may not have told the tracker of the consent
    while page.evaluate("clickstream.flush().then(clickstream.pending)"):
        page.wait_for_timeout(100)
    page.goto("about:blank")


def order_one(page: Page, product: str) -> None:
    """The shortest way to an order."""
    page.goto(product)
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Cart").click()
    page.get_by_role("link", name="To the checkout").click()
    page.get_by_role("button", name="Place the order").click()
    expect(page.locator("#order-id")).to_be_visible()
