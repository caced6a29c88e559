"""Buyers: one who clicks, and one without scripts, of whom many can press the button at the same moment."""

from __future__ import annotations

import json
import re
import urllib.request
import uuid
from html import unescape
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, expect

from shop_site import Shop

ANN = ("Ann Ångström", "ann@mail.example")
PAYS, FAILS = "4242 4242 4242 4242", "4000 0000 0000 0002"


def put_into_cart(page: Page, shop: Shop, product: str, quantity: int = 1) -> None:
    page.goto(f"{shop.url}/product/{product}")
    page.get_by_label("Quantity").fill(str(quantity))
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("link", name="See your cart")).to_be_visible()


def pay(page: Page, shop: Shop, card: str = PAYS) -> None:
    page.goto(f"{shop.url}/checkout")
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Pay").click()


def sign_up(page: Page, name: str, email: str) -> None:
    """On the provider's page, where the browser has just been sent."""
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Create account").click()


def order_id(page: Page) -> str:
    """Of the thank-you page that is shown."""
    return page.locator("#order-id").inner_text()


def cart_of(cart: str, *products: str) -> str:
    """The cookie of a cart with one piece of each."""
    return quote(json.dumps([cart, *([product, 1] for product in products)]))


class Form:
    """A form of a page, filled as a browser without scripts would send it."""

    def __init__(self, url: str, opener: urllib.request.OpenerDirector, html: str, button: str) -> None:
        [form] = [one for one in re.findall(r"<form.*?</form>", html, re.DOTALL) if button in one]
        self._url, self._opener = url, opener
        self.fields = {
            name: found.get("value", "")
            for found in map(_attributes, re.findall(r"<input[^>]*>", form))
            if (name := found.get("name")) and (found.get("type") != "radio" or "checked" in found)
        }

    def send(self, **fields: str) -> tuple[str, str]:
        """The address where it leads, and the page there."""
        boundary = uuid.uuid4().hex
        parts = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in (self.fields | fields).items()
        )
        kind = f"multipart/form-data; boundary={boundary}"
        request = urllib.request.Request(self._url, f"{parts}--{boundary}--\r\n".encode(), {"content-type": kind})
        with self._opener.open(request, timeout=60) as answer:
            return answer.url, answer.read().decode()


class PlainBuyer:
    """A visitor without scripts, with a cart of these products."""

    def __init__(self, shop: Shop, *products: str, cart: str = "") -> None:
        self.cart = cart or str(uuid.uuid4())
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._opener.addheaders = [("cookie", f"cart={cart_of(self.cart, *products)}")]
        self._url = f"{shop.url}/checkout"

    def checkout(self) -> Form:
        with self._opener.open(self._url, timeout=60) as answer:
            return Form(self._url, self._opener, answer.read().decode(), "Pay")


def _attributes(tag: str) -> dict[str, str]:
    found: list[Any] = re.findall(r'([\w:$-]+)(?:="([^"]*)")?', tag)
    return {name: unescape(value) for name, value in found}
