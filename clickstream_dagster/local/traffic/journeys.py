"""How people move through the shop, and where they give up. The shares were chosen so that of all visits about 43 %
bounce and 2-3 % buy; a test holds both."""

from __future__ import annotations

import random
from datetime import datetime

from clickstream_dagster.local.traffic.browser import Event, Tab, Visit
from clickstream_dagster.local.traffic.catalogue import (
    CATEGORIES,
    POPULARITY,
    PRODUCTS,
    SEARCHES,
    ZERO_RESULT_SEARCHES,
    Product,
    companion,
    on,
    slug,
)
from clickstream_dagster.local.traffic.visitors import ARRIVALS, Visitor, arrival_of

BOUNCE = 0.435
ADD = 0.125
REMOVE = 0.12
CHECKOUT = 0.48
BUY = 0.30
#: Of visitors who left a full cart, how many go straight back to it on their next visit.
RECOVER = 0.15
#: Of visitors who add a product, how many add what goes with it, where there is something.
TAKE_ALONG = 0.6
#: Tried on the page of the cart. Neither variant changes what anybody does: nothing to be found is what there is to find.
EXPERIMENT = "cart-trust-badges"
PAYMENT_PAGES = ("https://www.paypal.com/", "https://checkout.stripe.com/")


def visit(rng: random.Random, visitor: Visitor, start: datetime) -> Visit:
    """One visit of a person, from landing to leaving."""
    arrival = arrival_of(rng, visitor)
    zeal = arrival.zeal * visitor.zeal * (1.15 if visitor.visits else 0.92)
    visitor.signed_in = visitor.signed_in and rng.random() < 0.85
    tab = Tab(rng, visitor, start, arrival)
    if visitor.cart and rng.random() < RECOVER:
        _open_cart(tab)
        _check_out(tab, zeal)
        return tab.close()
    seen = _land(tab)
    if rng.random() >= BOUNCE / (0.85 + 0.15 * zeal):
        _shop(tab, zeal, seen)
    return tab.close()


def return_goods(rng: random.Random, visitor: Visitor, start: datetime, order: Event) -> Visit:
    """A visit days after a purchase, to give all or a part of it back."""
    tab = Tab(rng, visitor, start, ARRIVALS[-1])
    tab.page("/account/orders", "Your orders")
    tab.wait()
    tab.page(f"/account/returns?order={order['id']}", "Return goods")
    tab.wait(60)
    items = order["items"][:1] if rng.random() < 0.4 else order["items"]
    value = sum(item["price"] * item["quantity"] for item in items)
    tab.act("refund", order={**order, "items": items, "value": value})
    return tab.close()


def _land(tab: Tab) -> Product | None:
    """The first page; the product, when the visit begins on one."""
    draw = tab.rng.random()
    if draw < 0.38:
        return _view(tab, _any_product(tab))
    if draw < 0.62:
        tab.page("/", "Computers and accessories")
    elif draw < 0.88:
        _open_category(tab, tab.rng.choice(CATEGORIES))
    else:
        tab.page("/guides/choose-a-monitor", "How to choose a monitor")
    return None


def _shop(tab: Tab, zeal: float, seen: Product | None) -> None:
    """Look around, put things into the cart, and perhaps buy."""
    rng = tab.rng
    if seen is not None:
        _consider(tab, seen, zeal)
    while True:
        tab.wait()
        category = _find(tab)
        if category is not None and rng.random() < 0.82:
            _look_at(tab, category, zeal)
        if rng.random() > 0.56:
            break
    if tab.visitor.cart and rng.random() < 0.75:
        tab.wait()
        _open_cart(tab)
        _check_out(tab, zeal)


def _find(tab: Tab) -> str | None:
    """Search or browse to a category; None when the search found nothing."""
    rng = tab.rng
    if rng.random() > 0.3:
        category = rng.choice(CATEGORIES)
        _open_category(tab, category)
        return category
    found = rng.random() < 0.86
    category = rng.choice(CATEGORIES)
    query = rng.choice(SEARCHES[category] if found else ZERO_RESULT_SEARCHES)
    tab.page(f"/search?q={query.replace(' ', '+')}", "Search")
    tab.act("search", search_query=query, props={"results": rng.randint(2, 24) if found else 0})
    return category if found else None


def _look_at(tab: Tab, category: str, zeal: float) -> None:
    """Open one to three products of the category."""
    for _ in range(tab.rng.choice((1, 1, 2, 3))):
        product = _any_product(tab, category)
        tab.wait(15)
        if tab.rng.random() < 0.3:
            tab.act("click", props={"element": "product-card", "product_id": product.id})
        _view(tab, product)
        _consider(tab, product, zeal)


def _view(tab: Tab, product: Product) -> Product:
    tab.page(product.url_path, product.name, "view_product", product=product.payload)
    return product


def _consider(tab: Tab, product: Product, zeal: float) -> None:
    """Put the product into the cart or on the wish list, or neither. What is dear is added less readily."""
    ease = 1.25 if product.paid < 100 else 1.0 if product.paid < 500 else 0.7
    draw = tab.rng.random()
    if draw < ADD * zeal * ease:
        tab.wait(20)
        tab.add(product)
        other = companion(product)
        if other and tab.rng.random() < TAKE_ALONG:
            tab.wait(15)
            tab.add(_view(tab, on(tab.now.date(), other)))
    elif draw > 0.985:
        tab.wait(10)
        tab.act("add_to_wishlist", product=product.payload)


def _open_cart(tab: Tab) -> None:
    tab.page("/cart", "Your cart", experiment=EXPERIMENT, variant=tab.visitor.variant)
    for product, _ in list(tab.visitor.cart.values()):
        if tab.rng.random() < REMOVE:
            tab.wait(10)
            tab.remove(product)


def _check_out(tab: Tab, zeal: float) -> None:
    """From the cart to the thank-you page; most stop on the way and keep their cart."""
    rng = tab.rng
    if not tab.visitor.cart or rng.random() > CHECKOUT * (0.6 + 0.4 * zeal):
        return
    tab.wait()
    tab.page("/checkout", "Checkout")
    if tab.visitor.account_id and not tab.visitor.signed_in and rng.random() < 0.7:
        tab.wait(15)
        tab.sign_in()
    tab.act("checkout", props={"items": len(tab.visitor.cart)})
    if rng.random() > BUY * (0.6 + 0.4 * zeal):
        return
    tab.wait(70)
    if rng.random() < 0.5:
        tab.come_from(rng.choice(PAYMENT_PAGES))
    tab.buy()


def _open_category(tab: Tab, category: str) -> None:
    tab.page(f"/category/{slug(category)}", category)


_WEIGHTED = {
    category: [
        (product, weight)
        for product, weight in zip(PRODUCTS, POPULARITY, strict=True)
        if category in ("", product.category)
    ]
    for category in ("", *CATEGORIES)
}
_CHOICES = {category: tuple(zip(*pairs, strict=True)) for category, pairs in _WEIGHTED.items()}


def _any_product(tab: Tab, category: str = "") -> Product:
    products, weights = _CHOICES[category]
    chosen: Product = tab.rng.choices(products, weights)[0]
    return on(tab.now.date(), chosen)
