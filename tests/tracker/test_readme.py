"""The instructions for a shop's developer, tried line by line: what is printed there is what runs here."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tracker_site import ROOT, Collector, Shop, assert_all_heard, flush, say, stored

README = (ROOT / "tracker" / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
ENDPOINT = "https://api.shop.example/clickstream"


def block(language: str, word: str) -> str:
    """The block that holds a word."""
    [found] = [text for kind, text in BLOCKS if kind == language and word in text]
    return str(found)


TELL = block("js", "||=").split("\n\n")[0]


def shop_page(shop: Shop, head: str) -> None:
    """A page that has nothing but what the instructions say."""
    here = head.replace(ENDPOINT, shop.collector.url)
    shop.page = lambda path: f"<!doctype html><head><title>{path}</title>{here}</head><body></body>"  # type: ignore


def test_the_first_tag_sends_page_views(collector: Collector, shop: Shop, page: Page) -> None:
    shop_page(shop, next(text for kind, text in BLOCKS if kind == "html"))
    page.goto(shop.url)
    page.wait_for_timeout(1_300)
    assert page.evaluate("clickstream.stats") == {"sent": 1, "dropped": {}}
    assert collector.names() == ["page_view"]


def test_every_call_reaches_the_collector_as_its_event(collector: Collector, shop: Shop, page: Page) -> None:
    shop_page(shop, next(text for kind, text in BLOCKS if kind == "html"))
    page.goto(shop.url)
    page.evaluate(f"() => {{ {block('js', 'viewProduct')} }}")
    assert flush(page) == 0
    assert collector.names() == [
        *("view_product", "add_to_cart", "remove_from_cart", "checkout", "purchase", "refund", "search", "click"),
        *("add_to_wishlist", "experiment_viewed"),
    ]
    assert collector.lines("rejected") == []


def test_a_call_in_the_page_itself_is_kept(collector: Collector, shop: Shop, page: Page) -> None:
    early = TELL + 'tell("purchase", {id: "o-1", value: 1, currency: "EUR"})'
    shop_page(shop, next(text for kind, text in BLOCKS if kind == "html") + f"<script>{early}</script>")
    page.goto(shop.url)
    assert flush(page) == 0
    assert collector.names() == ["page_view", "purchase"]


def test_a_blocked_tracker_leaves_the_shop_alone(shop: Shop, page: Page) -> None:
    shop_page(shop, next(text for kind, text in BLOCKS if kind == "html").replace("/clickstream.js", "/blocked.js"))
    page.goto(shop.url)
    page.evaluate(f"() => {{ {block('js', 'viewProduct')} }}")


def test_signing_in_and_out(collector: Collector, shop: Shop, page: Page) -> None:
    shop_page(shop, next(text for kind, text in BLOCKS if kind == "html"))
    page.goto(shop.url)
    page.evaluate(f"() => {{ {TELL} const idToken = 'customer-7'; {block('js', 'login')} }}")
    assert flush(page) == 0
    assert collector.names() == ["page_view", "login"]


def test_consent(collector: Collector, shop: Shop, page: Page) -> None:
    shop_page(shop, block("html", "data-consent"))
    page.goto(shop.url)
    assert flush(page) == 1
    assert collector.seen == []
    page.evaluate(f"() => {{ {TELL} {block('js', 'granted')} }}")
    assert flush(page) == 0
    assert collector.names() == ["page_view"]


def test_what_is_stored_is_what_is_written(shop: Shop, collector: Collector, page: Page) -> None:
    page.goto(shop.url)
    say(page, range(2))
    assert flush(page) == 0
    found = stored(page)
    assert [cookie.split("=")[0] for cookie in found["cookies"]] == ["_cs"]
    assert (found["local"], found["databases"]) == ([], ["_cs"])
    [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == "_cs"]
    assert 399 < (cookie["expires"] - page.evaluate("Date.now()") / 1000) / 86_400 <= 400
    assert (cookie["sameSite"], cookie["path"]) == ("Lax", "/")
    assert_all_heard(collector, range(2))


ATTRIBUTES = re.findall(r"`data-([a-z-]+)`", README.split("## Options")[1].split("## ")[0])


@pytest.mark.parametrize("attribute", sorted(set(ATTRIBUTES)))
def test_every_attribute_is_an_option(attribute: str) -> None:
    name = re.sub(r"-(\w)", lambda match: match[1].upper(), attribute)
    assert f"  {name}?:" in (ROOT / "tracker" / "src" / "types.ts").read_text()


def test_every_option_is_an_attribute() -> None:
    options = (ROOT / "tracker" / "src" / "types.ts").read_text().split("interface Options {")[1].split("}")[0]
    names = {re.sub(r"([A-Z])", r"-\1", name).lower() for name in re.findall(r"^  (\w+)\?:", options, re.MULTILINE)}
    assert names == set(ATTRIBUTES)
