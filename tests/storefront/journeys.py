"""What a person does in the shop, click by click. Each leaves its last page: a page sends something as it goes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from playwright.sync_api import Page, expect

from buyer import ANN, PAYS, order_id, pay, put_into_cart, sign_up
from shop_site import Shop

MOUSE, CARD = "sku-1026", "sku-1044"

#: In the page, as an extension does it: what a page sends as it goes never comes by Playwright's routes.
BLOCKER = """
    const send = window.fetch;
    window.fetch = (address, ...more) =>
        String(address).includes("/clickstream") ? Promise.reject(new TypeError("blocked")) : send(address, ...more);
    navigator.sendBeacon = () => true;
"""


def told(page: Page, name: str) -> AbstractContextManager[object]:
    """Until the page has sent such an event: what it shows comes of the server, before its scripts have begun."""
    return page.expect_request(lambda request: f'"{name}"' in (request.post_data or ""))


def agree(page: Page, url: str) -> None:
    """Come to a page, and let the visit be counted."""
    page.goto(url)
    page.get_by_role("button", name="Accept all").click()
    expect(page.get_by_role("button", name="Accept all")).to_be_hidden()


def look_around(page: Page, url: str) -> None:
    """From a newsletter to a product."""
    agree(page, f"{url}/?utm_source=newsletter&utm_medium=email")
    page.get_by_role("navigation", name="Categories").get_by_role("link", name="Mice").click()
    with told(page, "view_product"):
        page.get_by_role("link", name="Glide Pro").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Quillon Glide Pro")
    page.goto("about:blank")


def sign_up_search_and_buy(page: Page, url: str) -> str:
    """Returns the order's id, after a reload of the thank-you page."""
    page.goto(url)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Sign in or sign up").click()
    sign_up(page, *ANN)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {ANN[0]}")
    page.get_by_role("searchbox").fill("rx nova 70")
    page.get_by_role("searchbox").press("Enter")
    with told(page, "view_product"):
        page.get_by_role("main").get_by_role("link", name="RX Nova 70").click()
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="See your cart").click()
    page.get_by_role("link", name="To the checkout").click()
    page.get_by_label("Card number").fill(PAYS)
    with told(page, "purchase"):
        page.get_by_role("button", name="Pay").click()
    order = order_id(page)
    with told(page, "purchase"):
        page.reload()
    assert order_id(page) == order
    page.goto("about:blank")
    return order


def come_back_on_a_phone(page: Page, url: str, order: str) -> None:
    """Sign in there, find the order, look at something else."""
    agree(page, f"{url}/account")
    page.get_by_role("link", name="Sign in or sign up").click()
    page.get_by_role("button", name=ANN[1]).click()
    page.get_by_role("main").get_by_role("link", name="Your orders").click()
    expect(page.get_by_text(order)).to_be_visible()
    with told(page, "view_product"):
        page.goto(f"{url}/product/{MOUSE}")
    page.goto("about:blank")


def give_back(page: Page, url: str, order: str, amount: str) -> None:
    """In the back office, which is not counted."""
    page.goto(f"{url}/account")
    page.get_by_role("button", name="No", exact=True).click()
    page.get_by_role("link", name="Sign in or sign up").click()
    page.get_by_role("button", name="Back office").click()
    page.get_by_role("main").get_by_role("link", name="Back office").click()
    row = page.get_by_role("row").filter(has_text=order)
    row.get_by_label("Amount").fill(amount)
    row.get_by_role("button", name="Give back").click()
    expect(row.get_by_text(f"{amount} USD given back. The event was sent.")).to_be_visible()


def buy_a_mouse(page: Page, site: Shop, *, is_blocked: bool) -> str:
    """The shortest way to an order. A blocker lets no word through to the collector from the checkout on."""
    agree(page, site.url)
    put_into_cart(page, site, MOUSE)
    if is_blocked:
        page.add_init_script(BLOCKER)
    with nullcontext() if is_blocked else told(page, "purchase"):
        pay(page, site)
    order = order_id(page)
    page.goto("about:blank")
    return order
