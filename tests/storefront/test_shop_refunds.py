"""The back office gives back: the shop's books have it, and the event goes to the visitor whose order it was."""

from __future__ import annotations

import subprocess
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from buyer import order_id, pay, put_into_cart, sign_up
from clickstream_dagster.local import node
from clickstream_dagster.local.storefront.building import STOREFRONT
from shop_site import Shop

MOUSE = "sku-1026"
#: Of a session's cookie, the same session as an administrator's.
PROMOTE = """
    import { createHash } from "node:crypto";
    import { EncryptJWT, jwtDecrypt } from "jose";
    const [secret, cookie] = process.argv.slice(1);
    const key = createHash("sha256").update(secret).digest();
    const { payload } = await jwtDecrypt(cookie, key);
    const promoted = new EncryptJWT({ ...payload, isAdmin: true }).setProtectedHeader({ alg: "dir", enc: "A256GCM" });
    console.log(await promoted.encrypt(key));
"""


@pytest.fixture
def order(storefront: Shop, page: Page) -> str:
    """Of a visitor who may be counted: one mouse, 69.00 and what comes on top: 79.42."""
    storefront.set_stock(50, MOUSE)
    page.goto(storefront.url)
    page.get_by_role("button", name="Accept all").click()
    put_into_cart(page, storefront, MOUSE)
    pay(page, storefront)
    return order_id(page)


@pytest.fixture
def office(storefront: Shop, browser: Browser) -> Page:
    """The back office, signed in, on a device of its own."""
    page = browser.new_context().new_page()
    page.goto(f"{storefront.url}/account")
    page.get_by_role("button", name="No", exact=True).click()
    page.get_by_role("link", name="Sign in or sign up").click()
    page.get_by_role("button", name="Back office").click()
    page.get_by_role("main").get_by_role("link", name="Back office").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Back office")
    return page


def test_an_order_is_given_back_in_parts_and_no_more_than_it_was(storefront: Shop, order: str, office: Page) -> None:
    row = office.get_by_role("row").filter(has_text=order)
    row.get_by_label("Amount").fill("9.42")
    row.get_by_role("button", name="Give back").click()
    expect(row.get_by_text("9.42 USD given back. The event was sent.")).to_be_visible()
    row.get_by_role("button", name="Give back").click()
    expect(row.get_by_text("70.00 USD given back. The event was sent.")).to_be_visible()
    expect(row.get_by_role("button", name="Give back")).to_be_hidden()
    row.get_by_role("button", name="Send its event again").first.click()
    expect(row.get_by_text("9.42 USD was given back before. The event was sent.")).to_be_visible()
    refunds = storefront.rows(
        "select refund_id::text, amount from refunds where order_id = %s order by created_at", order
    )
    assert [amount for _, amount in refunds] == [Decimal("9.42"), Decimal("70.00")]
    [(status, client)] = storefront.rows("select status, client_id from orders where order_id = %s", order)
    assert status == "refunded"
    sent = [line for line in storefront.events() if line["event_name"] == "refund"]
    told = {
        (line["event_id"], line["order"]["value"], line["client_id"]) for line in sent if line["order"]["id"] == order
    }
    assert told == {(refund, float(amount), client) for refund, amount in refunds}


def given_back(shop: Shop, order: str) -> list[Decimal]:
    found = shop.rows("select amount from refunds where order_id = %s order by created_at", order)
    return [amount for (amount,) in found]


def test_the_enter_key_gives_back(storefront: Shop, order: str, office: Page) -> None:
    row = office.get_by_role("row").filter(has_text=order)
    for amount in ("9.42", "5.00"):
        row.get_by_label("Amount").fill(amount)
        row.get_by_label("Amount").press("Enter")
        expect(row.get_by_text(f"{amount} USD given back. The event was sent.")).to_be_visible()
    assert given_back(storefront, order) == [Decimal("9.42"), Decimal("5.00")]


def test_a_refund_whose_answer_is_lost_is_given_once(storefront: Shop, order: str, office: Page) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    row = office.get_by_role("row").filter(has_text=order)
    office.route("**/admin", lose, times=1)
    row.get_by_label("Amount").fill("9.42")
    row.get_by_role("button", name="Give back").click()
    office.get_by_role("button", name="Try again").click()
    row.get_by_label("Amount").fill("9.42")
    row.get_by_role("button", name="Give back").click()
    expect(row.get_by_text("9.42 USD was given back before. The event was sent.")).to_be_visible()
    assert given_back(storefront, order) == [Decimal("9.42")]


def test_who_was_an_administrator_gives_nothing_back(storefront: Shop, order: str, browser: Browser) -> None:
    """The session says that they are; the provider says it no longer."""
    page = browser.new_context().new_page()
    page.goto(f"{storefront.url}/account")
    page.get_by_role("button", name="No", exact=True).click()
    page.get_by_role("link", name="Sign in or sign up").click()
    sign_up(page, "Eve", "eve@bitforge.example")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Eve")
    [cookie] = [str(one["value"]) for one in page.context.cookies() if one["name"] == "shop_session"]
    program = [str(node.folder() / "node"), "--input-type=module", "-e", PROMOTE, storefront.secret, cookie]
    promoted = subprocess.run(program, cwd=STOREFRONT, check=True, capture_output=True, text=True).stdout.strip()
    page.context.add_cookies([{"name": "shop_session", "value": promoted, "url": storefront.url}])
    page.goto(f"{storefront.url}/admin")
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/admin")):
        page.get_by_role("row").filter(has_text=order).get_by_role("button", name="Give back").click()
    expect(page.get_by_role("heading", name="Back office")).to_be_hidden()
    assert given_back(storefront, order) == []
    page.context.close()


def test_a_customer_sees_their_orders_and_no_back_office(storefront: Shop, page: Page) -> None:
    storefront.set_stock(50, MOUSE)
    page.goto(f"{storefront.url}/account")
    page.get_by_role("button", name="No", exact=True).click()
    page.get_by_role("link", name="Sign in or sign up").click()
    sign_up(page, "Ada", "ada@bitforge.example")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Ada")
    put_into_cart(page, storefront, MOUSE)
    pay(page, storefront)
    number = order_id(page)
    page.goto(f"{storefront.url}/orders")
    expect(page.get_by_text(number)).to_be_visible()
    assert page.request.get(f"{storefront.url}/admin").status == 404
    # An order of a customer is nobody else's to look at.
    stranger = page.context.browser.new_context()  # type: ignore[union-attr]
    assert stranger.request.get(f"{storefront.url}/thank-you/{number}").status == 404
    stranger.close()
