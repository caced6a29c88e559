"""Orders: one for each cart, never more pieces than there are, and nothing at all when the payment fails."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from buyer import FAILS, PAYS, Form, PlainBuyer, cart_of, order_id, pay, put_into_cart
from shop_site import Shop

MOUSE, DOCK, CHAIR = "sku-1026", "sku-1049", "sku-1050"


@pytest.fixture(autouse=True)
def enough(storefront: Shop) -> None:
    storefront.set_stock(50, MOUSE, DOCK, CHAIR)


def press_together(forms: list[Form]) -> list[tuple[str, str]]:
    """All at the same moment: where each leads, and what it says."""
    with ThreadPoolExecutor(len(forms)) as threads:
        return list(threads.map(Form.send, forms))


def test_a_guest_buys(storefront: Shop, page: Page) -> None:
    put_into_cart(page, storefront, MOUSE, 2)
    page.get_by_role("link", name="See your cart").click()
    page.get_by_role("link", name="To the checkout").click()
    page.get_by_label("Express, tomorrow").check()
    page.get_by_label("Coupon").fill("welcome10")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("10 % off.")).to_be_visible()
    page.get_by_role("button", name="Pay $149.04").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    [order] = storefront.rows(
        "select status, total, discount, shipping, tax, coupon, currency, user_id, client_id from orders where order_id = %s",
        order_id(page),
    )
    # 2 x 69.00, 10 % off, 8 % tax on the rest; no consent, no visitor
    amounts = tuple(map(Decimal, ("149.04", "13.80", "14.90", "9.94")))
    assert order == ("paid", *amounts, "WELCOME10", "USD", None, None)
    lines = storefront.rows(
        "select product_id, quantity, unit_price from order_items where order_id = %s", order_id(page)
    )
    assert lines == [(MOUSE, 2, Decimal("69.00"))]
    assert storefront.stock(MOUSE) == 48
    expect(page.get_by_role("link", name="Cart", exact=True)).to_be_visible()


def test_a_card_that_is_declined_leaves_no_order_and_all_the_stock(storefront: Shop, page: Page) -> None:
    before = storefront.orders()
    put_into_cart(page, storefront, MOUSE)
    pay(page, storefront, FAILS)
    expect(page.get_by_text("The card was declined.")).to_be_visible()
    assert (storefront.orders(), storefront.stock(MOUSE)) == (before, 50)
    pay(page, storefront)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert (storefront.orders(), storefront.stock(MOUSE)) == (before + 1, 49)


def test_a_real_card_is_refused(storefront: Shop) -> None:
    where, said = PlainBuyer(storefront, MOUSE).checkout().send(card="5555 5555 5555 4444")
    assert where.endswith("/checkout")
    assert "takes test cards only" in said


def test_of_buyers_of_the_last_piece_one_gets_it_and_the_others_are_told(storefront: Shop) -> None:
    storefront.set_stock(1, MOUSE)
    before = storefront.orders()
    answers = press_together([PlainBuyer(storefront, MOUSE, DOCK).checkout() for _ in range(8)])
    told = (
        "Someone was faster: the last Quillon Glide Pro has just been sold. Take it out of your cart to order the rest."
    )
    assert sorted(told in said for _, said in answers) == [False] + [True] * 7
    assert ["/thank-you/" in where for where, _ in answers].count(True) == 1
    assert (storefront.orders(), storefront.stock(MOUSE), storefront.stock(DOCK)) == (before + 1, 0, 49)


def test_who_comes_too_late_keeps_the_cart(storefront: Shop, page: Page) -> None:
    put_into_cart(page, storefront, MOUSE)
    page.goto(f"{storefront.url}/checkout")
    storefront.set_stock(0, MOUSE)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("alert").filter(has_text="Someone was faster")).to_be_visible()
    page.goto(f"{storefront.url}/cart")
    expect(page.get_by_text("Only 0 left.")).to_be_visible()


def test_the_same_cart_sent_many_times_is_one_order(storefront: Shop) -> None:
    before = storefront.orders()
    one = PlainBuyer(storefront, MOUSE)
    answers = press_together([PlainBuyer(storefront, MOUSE, cart=one.cart).checkout() for _ in range(6)])
    assert {where for where, _ in answers} == {f"{storefront.url}/thank-you/{one.cart}"}
    assert (storefront.orders(), storefront.stock(MOUSE)) == (before + 1, 49)


def order_and_lose_the_answer(page: Page, shop: Shop, product: str) -> str:
    """The order stands, and the browser keeps its cart. Returns the order's id."""
    put_into_cart(page, shop, product)
    kept = [one for one in page.context.cookies() if one["name"] == "cart"]
    pay(page, shop)
    order = order_id(page)
    page.context.add_cookies(kept)  # type: ignore[arg-type]
    return order


def test_what_comes_into_a_cart_after_its_order_is_an_order_of_its_own(storefront: Shop, page: Page) -> None:
    before = storefront.orders()
    first = order_and_lose_the_answer(page, storefront, MOUSE)
    put_into_cart(page, storefront, MOUSE)
    put_into_cart(page, storefront, DOCK)
    pay(page, storefront)
    expect(page.get_by_role("heading", name="Ordered already")).to_be_visible()
    assert (order_id(page), storefront.orders()) == (first, before + 1)
    page.get_by_role("main").get_by_role("link", name="See your cart").click()
    page.get_by_role("link", name="To the checkout").click()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    lines = storefront.rows("select product_id, quantity from order_items where order_id = %s", order_id(page))
    assert sorted(lines) == [(MOUSE, 1), (DOCK, 1)]
    assert (storefront.orders(), storefront.stock(MOUSE), storefront.stock(DOCK)) == (before + 2, 48, 49)


def test_a_cart_that_is_ordered_again_otherwise_is_not_charged_again(storefront: Shop, page: Page) -> None:
    before = storefront.orders()
    first = order_and_lose_the_answer(page, storefront, MOUSE)
    page.goto(f"{storefront.url}/checkout")
    page.get_by_label("Express, tomorrow").check()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="Ordered already")).to_be_visible()
    expect(page.get_by_text("$79.42")).to_be_visible()
    assert (order_id(page), storefront.orders(), storefront.stock(MOUSE)) == (first, before + 1, 49)
    page.goto(f"{storefront.url}/cart")
    expect(page.get_by_role("heading", name="Your cart is empty")).to_be_visible()


def test_carts_in_opposite_order_do_not_wait_for_each_other(storefront: Shop) -> None:
    carts = [(MOUSE, DOCK, CHAIR), (CHAIR, DOCK, MOUSE)] * 6
    answers = press_together([PlainBuyer(storefront, *cart).checkout() for cart in carts])
    assert all("/thank-you/" in where for where, _ in answers)
    assert [storefront.stock(product) for product in (MOUSE, DOCK, CHAIR)] == [38, 38, 38]


def test_a_price_is_the_server_s(storefront: Shop) -> None:
    form = PlainBuyer(storefront, MOUSE).checkout()
    where, said = form.send(total="1", card=PAYS)
    assert "A price has changed" in said
    assert where.endswith("/checkout")


def test_a_cart_takes_no_more_than_there_is(storefront: Shop, page: Page) -> None:
    storefront.set_stock(3, MOUSE)
    put_into_cart(page, storefront, MOUSE, 3)
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("Only 3 left; all of them are in your cart.")).to_be_visible()
    page.goto(f"{storefront.url}/cart")
    page.get_by_label("Quantity of Quillon Glide Pro").select_option("0")
    expect(page.get_by_role("heading", name="Your cart is empty")).to_be_visible()


def test_a_full_cart_says_so_and_takes_nothing(storefront: Shop, page: Page) -> None:
    others = storefront.rows("select product_id from products where product_id <> %s order by 1 limit 40", MOUSE)
    page.goto(storefront.url)
    page.get_by_role("button", name="Accept all").click()
    cart = cart_of(str(uuid.uuid4()), *(product for (product,) in others))
    page.context.add_cookies([{"name": "cart", "value": cart, "url": storefront.url}])
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    page.goto(f"{storefront.url}/product/{MOUSE}")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("A cart holds 40 different products.")).to_be_visible()
    page.wait_for_timeout(1_500)
    assert any('"view_product"' in body for body in sent)
    assert not any('"add_to_cart"' in body for body in sent)
    page.goto(f"{storefront.url}/cart")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(40)
