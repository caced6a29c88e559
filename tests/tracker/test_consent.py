"""What the visitor has agreed to, and what their browser asks for, hold: in the network, in the stores, in all tabs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from ingest_lambda.personal import shape_of
from tracker_site import Collector, Shop, answer, assert_all_heard, flush, heard, say, silence, stored, until

NOTHING: dict[str, list[str]] = {"cookies": [], "local": [], "databases": []}
GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
DNT = "Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'})"


def test_before_consent_nothing_is_sent_or_stored_and_after_it_all_goes_out(
    collector: Collector, shop: Shop, page: Page
) -> None:
    shop.attributes = 'data-consent="none"'
    page.goto(shop.url)
    say(page, range(5))
    page.evaluate("clickstream.login('u-1')")
    assert flush(page) == 7
    page.wait_for_timeout(1_300)
    assert stored(page) == NOTHING
    assert collector.seen == []
    page.evaluate("clickstream.consent('granted')")
    say(page, range(5, 8))
    assert flush(page) == 0
    assert_all_heard(collector, range(8))
    assert collector.names()[0] == "page_view"
    assert {line["consent"] for line in collector.lines()} == {"granted"}
    assert all("client_id" in line for line in collector.lines())


def test_without_consent_the_page_takes_its_events_with_it(collector: Collector, shop: Shop, page: Page) -> None:
    shop.attributes = 'data-consent="none"'
    page.goto(shop.url)
    say(page, range(5))
    page.goto(shop.url + "/next")
    page.evaluate("clickstream.consent('granted')")
    assert flush(page) == 0
    assert collector.names() == ["page_view"]


def test_the_memory_before_consent_is_bounded(collector: Collector, shop: Shop, page: Page) -> None:
    shop.attributes = 'data-consent="none"'
    page.goto(shop.url)
    say(page, range(150))
    page.evaluate("clickstream.consent('granted')")
    assert flush(page) == 0
    assert len(heard(collector)) == 99
    assert page.evaluate("clickstream.stats.dropped") == {"too_much": 51}


def assert_essential(collector: Collector, page: Page) -> None:
    """Sent, but as nobody: no stored id, no user, nothing in the browser."""
    assert stored(page) == NOTHING
    for line in collector.lines():
        assert line["consent"] == "essential"
        assert not {"client_id", "user_id", "is_first_visit"} & line.keys()


@pytest.mark.parametrize("attributes", ['data-consent="essential"', 'data-cookieless="on"', "data-cookieless"])
def test_essential_sends_without_storing(collector: Collector, shop: Shop, page: Page, attributes: str) -> None:
    shop.attributes = attributes
    page.goto(shop.url)
    page.evaluate("clickstream.login('u-1')")
    say(page, range(5))
    assert flush(page) == 0
    assert_essential(collector, page)
    assert "login" not in collector.names()  # a shop says it on every page, and this page knows of no other
    assert len({line["session_id"] for line in collector.lines()}) == 1
    say(page, range(5, 9))
    page.goto("about:blank")
    until(lambda: len(heard(collector)) == 9)
    assert_all_heard(collector, range(9))


def test_consent_that_comes_later_keeps_the_session(collector: Collector, shop: Shop, page: Page) -> None:
    shop.attributes = 'data-consent="essential"'
    page.goto(shop.url)
    page.evaluate("clickstream.login('u-1')")
    assert flush(page) == 0
    page.evaluate("clickstream.consent('granted')")
    say(page, range(1))
    assert flush(page) == 0
    assert len({line["session_id"] for line in collector.lines()}) == 1
    [said] = [line for line in collector.lines() if line["event_name"] == "said"]
    assert (said["user_id"], said["is_first_visit"]) == ("u-1", True)


@pytest.mark.usefixtures("in_the_warehouse")
@pytest.mark.parametrize("level", ["none", "essential"])
def test_consent_withdrawn_in_mid_queue(collector: Collector, shop: Shop, context: BrowserContext, level: str) -> None:
    collector.fault = lambda exchange: answer(503)
    page, other = context.new_page(), context.new_page()
    for tab in (page, other):
        tab.goto(shop.url)
    page.evaluate("clickstream.login('u-1')")
    say(page, range(10))
    say(other, range(10, 20))
    flush(page)
    page.evaluate("level => clickstream.consent(level)", level)
    until(lambda: stored(page) == NOTHING)
    until(lambda: other.evaluate("clickstream.flush().then(() => clickstream.pending())") == 0)
    # Only now: what is sent again just before the other tab hears of it is sent with consent.
    before = len(collector.seen)
    collector.fault = lambda exchange: None
    for tab in (page, other):
        say(tab, range(20, 25))
        flush(tab)
        assert stored(tab) == NOTHING
    page.goto(shop.url + "/next?", wait_until="load")
    page.evaluate("level => clickstream.consent(level)", level)
    page.goto("about:blank")
    page.wait_for_timeout(300)
    assert all(number >= 20 for number in heard(collector))  # nothing that had waited
    later = [event for exchange in collector.seen[before:] for event in exchange.events]
    if level == "none":
        assert [event for event in later if event.get("consent") != "granted"] == []
    else:
        assert {event["props"]["n"] for event in later if event["event_name"] == "said"} == set(range(20, 25))
        assert all("user_id" not in event for event in later if event["event_name"] == "said")


@pytest.mark.usefixtures("in_the_warehouse")
def test_consent_withdrawn_while_a_request_is_under_way(collector: Collector, shop: Shop, page: Page) -> None:
    collector.fault = lambda exchange: silence(0.5) if len(collector.seen) == 1 else None
    page.goto(shop.url)
    say(page, range(120))
    page.evaluate("void clickstream.flush()")
    until(lambda: len(collector.seen) == 1)
    page.evaluate("clickstream.consent('none')")
    page.wait_for_timeout(1_500)
    assert len(collector.seen) == 1  # what was on the wire is gone; the rest never leaves
    assert stored(page) == NOTHING
    page.evaluate("clickstream.consent('granted')")
    say(page, range(200, 203))
    assert flush(page) == 0
    assert sorted(heard(collector)) == [200, 201, 202]


def test_consent_withdrawn_while_the_queue_is_being_read(collector: Collector, shop: Shop, page: Page) -> None:
    page.add_init_script(
        """const original = IDBObjectStore.prototype.getAll;
        IDBObjectStore.prototype.getAll = function () {
            const request = original.call(this);
            if (window.isOver) clickstream.consent("none");
            return request;
        }"""
    )
    page.goto(shop.url)
    assert flush(page) == 0
    say(page, range(5))
    page.evaluate("window.isOver = true; void clickstream.flush()")
    page.wait_for_timeout(500)
    assert heard(collector) == {}
    assert stored(page) == NOTHING


def test_a_decision_of_yesterday_is_undone_on_the_next_visit(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    flush(page)
    assert stored(page)["cookies"]
    shop.attributes = 'data-consent="none"'
    page.goto(shop.url)
    page.evaluate("clickstream.consent('none')")
    until(lambda: stored(page) == NOTHING)


@pytest.mark.usefixtures("in_the_warehouse")
@pytest.mark.parametrize("signal", [GPC, DNT])
def test_a_browser_that_asks_not_to_be_tracked(
    collector: Collector, shop: Shop, new_context: Callable[..., BrowserContext], signal: str
) -> None:
    header = "sec-gpc" if signal == GPC else "dnt"
    context = new_context(extra_http_headers={header: "1"})
    page = context.new_page()
    shop.attributes = 'data-engagement="off"'  # a slow machine's first page would tell of it as it goes, with consent
    page.goto(shop.url)  # before its owner has turned it on
    flush(page)
    collector.store.delete([entry["path"] for batch in collector.store.list() for entry in batch])
    page.add_init_script(signal)
    page.goto(shop.url)
    page.evaluate("clickstream.consent('granted')")  # a banner that does not know of the signal
    page.evaluate("clickstream.login('u-1')")
    say(page, range(5))
    assert flush(page) == 0
    until(lambda: stored(page) == NOTHING)
    assert_all_heard(collector, range(5))
    assert_essential(collector, page)
    assert {line["is_gpc" if signal == GPC else "is_dnt"] for line in collector.lines()} == {True}


def test_a_shop_may_give_the_signal_no_meaning(collector: Collector, shop: Shop, page: Page) -> None:
    shop.attributes = 'data-gpc="ignore"'
    page.add_init_script(GPC)
    page.goto(shop.url)
    assert flush(page) == 0
    assert {line["consent"] for line in collector.lines()} == {"granted"}


def test_what_is_done_after_a_no_is_nobody_s(collector: Collector, shop: Shop, page: Page) -> None:
    shop.attributes = 'data-consent="none"'
    page.goto(shop.url)
    page.evaluate("clickstream.consent('granted')")
    assert flush(page) == 0
    page.evaluate("clickstream.consent('none')")
    page.evaluate("clickstream.search('private')")
    page.evaluate("clickstream.consent('granted')")
    say(page, range(1))
    assert flush(page) == 0
    assert collector.names() == ["page_view", "said"]


def test_a_collector_that_asks_for_patience_leaves_nothing_behind(collector: Collector, shop: Shop, page: Page) -> None:
    headers = {"retry-after": "600", "access-control-expose-headers": "retry-after"}
    collector.fault = lambda exchange: answer(429, headers=headers)
    page.goto(shop.url)
    flush(page)
    assert "_cs.until" in stored(page)["local"]
    page.evaluate("clickstream.consent('none')")
    until(lambda: stored(page) == NOTHING)


def test_a_token_that_cannot_be_read_is_not_sent(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    page.evaluate("clickstream.login('eyJhbGciOiJkaXIifQ.MTIzNDU2Nzg5.cipher.text.tag')")
    assert flush(page) == 0
    assert not [event for event in sent(collector) if "eyJ" in str(event) or event.get("user_id")]
    assert "eyJ" not in page.evaluate("document.cookie")


def test_requests_do_not_say_where_the_visitor_is(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url + "/orders?number=17")
    assert flush(page) == 0
    assert collector.seen[0].headers["referer"] == shop.url + "/"


def test_a_word_that_is_no_consent_is_none(collector: Collector, shop: Shop, page: Page) -> None:
    shop.attributes = 'data-consent="yes please"'
    page.goto(shop.url)
    page.evaluate("clickstream.consent('all')")
    assert flush(page) == 1  # it waits for a consent that is one
    assert stored(page) == NOTHING
    assert collector.seen == []


def sent(collector: Collector) -> list[dict[str, Any]]:
    """Events as they left the page: before the collector cleaned anything."""
    return [event for exchange in collector.seen for event in exchange.events]


def test_personal_data_does_not_leave_the_page(collector: Collector, shop: Shop, page: Page) -> None:
    shop.head = "<script>(window.clickstream ||= []).push(['consent', 'granted'])</script>"
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    page.goto(
        f"{shop.url}/reset?email=a%40b.example&q=red+shoes&access_token=abc&firstName=Ada&id={token}"
        "&next=x@y.example&utm_source=mail&sku=12345678&user[password]=p&user%5Bphone%5D=1&password2=p&mobile=1"
        "&%65mail=z&ref=c%40d.example&telephone=1#token=secret"
    )
    page.evaluate(
        """() => {
            clickstream.track("signed_up", {props: {email: "a@b.example", plan: "pro", note: "write to me@x.example",
                nested: {password: "p", size: 4}, list: ["c@d.example", 1, null], phone: 123, shipping_address: "Rd 1"}});
            clickstream.search("ada@lovelace.example", {results: 0});
        }"""
    )
    assert flush(page) == 0
    view, signed_up, search = sent(collector)
    assert view["page_url"] == (
        f"{shop.url}/reset?email=[removed]&q=red+shoes&access_token=[removed]&firstName=[removed]&id=[removed]"
        "&next=[removed]&utm_source=mail&sku=12345678&user[password]=[removed]&user%5Bphone%5D=[removed]"
        "&password2=[removed]&mobile=[removed]&%65mail=[removed]&ref=[removed]&telephone=[removed]"
    )
    assert {key: value for key, value in signed_up["props"].items() if key != "webdriver"} == {
        "plan": "pro",
        "note": "write to [removed]",
        "nested": {"size": 4},
        "list": ["[removed]", 1, None],
    }
    assert search["search_query"] == "[removed]"
    assert b"example" not in collector.seen[0].body.replace(b"[removed]", b"")


KEYS = [
    "email",
    "e_mail",
    "eMail",
    "userEmail",
    "mail",
    "phone",
    "homePhone",
    "password",
    "pass",
    "pwd",
    "address",
    "shipping_address",
    "street",
    "firstName",
    "last_name",
    "full_name",
    "surname",
    "birthdate",
    "birth_day",
    "zipCode",
    "post_code",
    "postcode",
    "iban",
    "cardNumber",
    "card_number",
    "cvv",
    "cvc",
    "token",
    "access_token",
    "idToken",
    "client_secret",
    "auth",
    "jwt",
    "otp",
    "apiKey",
    "api_key",
]
HARMLESS = [
    "sku",
    "id",
    "order_id",
    "price",
    "utm_source",
    "q",
    "query",
    "page",
    "sort",
    "size",
    "color",
    "zip_line",
    "passenger",
    "tokens_used",
    "name",
    "product_name",
    "brand",
    "postage",
    "email_count",
    "addressable",
]


def test_the_page_removes_what_the_collector_would_and_nothing_harmless(
    collector: Collector, shop: Shop, page: Page
) -> None:
    page.goto(shop.url)
    page.evaluate(
        "names => clickstream.track('keys', {props: Object.fromEntries(names.map((n) => [n, 1]))})", KEYS + HARMLESS
    )
    assert flush(page) == 0
    props = sent(collector)[-1]["props"]
    assert [key for key in KEYS if key in props] == []
    assert [key for key in HARMLESS if key not in props] == []
    assert [key for key in KEYS if shape_of(key) is None] == []
