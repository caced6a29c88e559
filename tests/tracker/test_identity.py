"""Who visits: one visitor in all tabs, sessions of thirty minutes, and the shop's own user."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from support.browsers import launch
from tracker_site import Collector, Shop, flush, say, until


def token(**claims: Any) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "signature"])


@pytest.fixture
def mapped(browser: Browser, playwright: Playwright) -> Iterator[Page]:
    """A tab to which every host is this machine."""
    if browser.browser_type.name != "chromium":
        pytest.skip("needs a flag of chromium")
    own = launch(playwright, "chromium", "--host-resolver-rules=MAP *.shop.example 127.0.0.1")
    yield own.new_page()
    own.close()


def said(collector: Collector) -> list[dict[str, Any]]:
    """The events that the test made, each once, in their order."""
    events = {line["event_id"]: line for line in collector.lines() if line["event_name"] == "said"}
    return sorted(events.values(), key=lambda event: event["props"]["n"])


def cookies(tab: Page) -> str:
    """What a tab knows of them."""
    return str(tab.evaluate("document.cookie"))


def test_tabs_share_visitor_and_session(collector: Collector, shop: Shop, context: BrowserContext) -> None:
    one, other = context.new_page(), context.new_page()
    one.goto(shop.url)
    other.goto(shop.url)
    say(one, range(1))
    say(other, range(1, 2))
    flush(one)
    flush(other)
    until(lambda: len(said(collector)) == 2)
    first, second = said(collector)
    assert first["client_id"] == second["client_id"]
    assert first["session_id"] == second["session_id"]
    assert first["is_first_visit"] is second["is_first_visit"] is True
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}", first["client_id"])


def test_a_session_ends_after_thirty_idle_minutes_of_all_tabs(
    collector: Collector, shop: Shop, context: BrowserContext
) -> None:
    context.clock.install()
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(shop.url)
    say(tabs[0], range(1))
    context.clock.fast_forward("29:00")
    say(tabs[1], range(1, 2))  # the other tab keeps it alive
    context.clock.fast_forward("29:00")
    say(tabs[0], range(2, 3))
    context.clock.fast_forward("30:02")
    say(tabs[1], range(3, 4))
    say(tabs[0], range(4, 5))
    for tab in tabs:
        until(lambda tab=tab: flush(tab) == 0)
    events = said(collector)
    sessions = [event["session_id"] for event in events]
    assert len(set(sessions[:3])) == 1
    assert sessions[3] == sessions[4] != sessions[0]
    assert [event["is_first_visit"] for event in events] == [True, True, True, False, False]
    assert len({event["client_id"] for event in events}) == 1


def test_a_clock_that_was_set_right_does_not_make_a_session_that_never_ends(
    collector: Collector, shop: Shop, page: Page
) -> None:
    page.goto(shop.url)
    flush(page)
    page.evaluate("document.cookie = document.cookie.replace(/:(\\d{10}):/, ':9$1:') + '; path=/'")
    say(page, range(2))
    flush(page)
    before = next(line for line in collector.lines() if line["event_name"] == "page_view")
    assert {event["session_id"] for event in said(collector)} != {before["session_id"]}
    assert len({event["session_id"] for event in said(collector)}) == 1


def test_engaged_time_does_not_begin_a_session(collector: Collector, shop: Shop, page: Page) -> None:
    page.clock.install()
    page.goto(shop.url)
    flush(page)
    page.clock.fast_forward("45:00")
    page.mouse.move(10, 10)
    page.clock.fast_forward("00:20")
    page.mouse.move(20, 20)
    flush(page)
    page.goto("about:blank")
    page.wait_for_timeout(300)
    assert collector.names() == ["page_view"]


def test_sign_in_and_out(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    say(page, range(1))
    sub = "8f14e45f-ceea-467a-9575-6a1d3c5b0b7a"
    given = token(sub=sub, iss="https://cognito-idp.eu-central-1.amazonaws.com/pool", name="Ω ünïcode ~~~???")
    page.evaluate("given => clickstream.login(given)", given)
    say(page, range(1, 2))
    page.goto(shop.url + "/next")
    page.evaluate("given => clickstream.login(given)", given)  # on every page, as shops do
    say(page, range(2, 3))
    page.evaluate("clickstream.logout()")
    say(page, range(3, 4))
    page.evaluate("clickstream.login('u-17')")
    say(page, range(4, 5))
    page.evaluate("clickstream.logout({client: true})")
    say(page, range(5, 6))
    assert flush(page) == 0
    who = [(e.get("user_id"), e["user_login_state"], e["identity_source"]) for e in said(collector)]
    signed_in = (sub, "logged_in", "id_token")
    nobody = (None, "guest", "cookie")
    assert who == [nobody, signed_in, signed_in, nobody, ("u-17", "logged_in", "login"), nobody]
    assert collector.names().count("login") == 2
    clients = [event["client_id"] for event in said(collector)]
    sessions = [event["session_id"] for event in said(collector)]
    assert len(set(clients[:5])) == 1
    assert clients[5] != clients[4]
    assert len(set(sessions[:3])) == 1
    assert len({sessions[2], sessions[3], sessions[5]}) == 3
    assert said(collector)[5]["is_first_visit"] is True


def test_a_visitor_who_left_in_one_tab_is_not_brought_back_by_another(
    collector: Collector, shop: Shop, context: BrowserContext
) -> None:
    one, other = context.new_page(), context.new_page()
    for tab in (one, other):
        tab.goto(shop.url)
    one.evaluate("clickstream.login('u-1')")
    until(lambda: cookies(other) == cookies(one))  # a busy browser takes a moment to tell its other tabs
    say(other, range(1))
    one.evaluate("clickstream.logout({client: true})")
    until(lambda: cookies(other) == cookies(one))
    say(other, range(1, 2))
    until(lambda: cookies(other) == cookies(one))
    say(one, range(2, 3))
    for tab in (one, other):
        until(lambda tab=tab: flush(tab) == 0)
    before, there, here = said(collector)
    assert before["user_id"] == "u-1"
    assert "user_id" not in there and "user_id" not in here
    assert before["client_id"] != there["client_id"] == here["client_id"]


def test_a_domain_that_comes_later_takes_the_visitor_along(collector: Collector, shop: Shop, mapped: Page) -> None:
    """The cookie of the host alone would hide the new one for ever."""
    address = shop.url.replace("127.0.0.1", "www.shop.example")
    mapped.goto(address)
    mapped.evaluate("clickstream.login('u-1')")
    say(mapped, range(1))
    assert flush(mapped) == 0
    shop.attributes = 'data-cookie-domain="shop.example"'
    mapped.goto(address + "/next")
    mapped.evaluate("clickstream.login('u-2')")
    say(mapped, range(1, 2))
    mapped.goto(address.replace("www.", "pay."))
    say(mapped, range(2, 3))
    assert flush(mapped) == 0
    first, second, third = said(collector)
    assert first["client_id"] == second["client_id"] == third["client_id"]
    assert second["session_id"] == third["session_id"]
    assert [event["user_id"] for event in (first, second, third)] == ["u-1", "u-2", "u-2"]
    mapped.goto(address)
    assert len(mapped.evaluate("document.cookie").split("; ")) == 1
    mapped.evaluate("clickstream.consent('none')")
    until(lambda: mapped.evaluate("document.cookie") == "")


@pytest.mark.parametrize("user", ["a.b:c;d", "Ünï", "😀", "a b", "%41", "null"])
def test_any_user_id_survives_the_cookie(collector: Collector, shop: Shop, page: Page, user: str) -> None:
    page.goto(shop.url)
    page.evaluate("user => clickstream.login(user)", user)
    page.goto(shop.url + "/next")
    say(page, range(1))
    flush(page)
    assert said(collector)[0].get("user_id") == (None if user == "null" else user)


def test_a_share_of_the_visitors(collector: Collector, shop: Shop, context: BrowserContext) -> None:
    shop.attributes = 'data-sample="0.5"'
    page = context.new_page()
    heads = {"low": "3", "high": "c"}
    for name, digit in heads.items():
        page.goto(shop.url)
        flush(page)
        page.evaluate(
            "digit => { document.cookie = document.cookie.replace(/_cs=1:.{36}/, '_cs=1:00000000-0000-7000-8000-'"
            " + digit.repeat(12)) + '; path=/' }",
            digit,
        )
        page.evaluate("name => clickstream.track('sampled_' + name)", name)
        assert flush(page) == 0
    names = collector.names()
    assert "sampled_low" in names
    assert "sampled_high" not in names


def test_the_order_of_events_is_never_lost(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    page.evaluate(
        """() => {
            const product = {id: "p", price: 1};
            clickstream.addToCart(product);
            clickstream.checkout({value: 1, currency: "EUR"});
            clickstream.purchase({id: "o", value: 1, currency: "EUR"});
        }"""
    )
    flush(page)
    assert collector.names() == ["page_view", "add_to_cart", "checkout", "purchase"]
    times = sorted(line["event_timestamp"] for line in collector.lines())
    assert len(set(times)) == 4
