"""Tabs that share one queue, and tabs that end: by a click, by a crash, or with more waiting than may go out at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from support.browsers import launch
from tracker_site import (
    Collector,
    Fault,
    Shop,
    answer,
    assert_all_heard,
    flush,
    heard,
    pass_time_until,
    say,
    served,
    silence,
    stop_clock,
    stored,
    until,
)

pytestmark = pytest.mark.usefixtures("in_the_warehouse")


def test_two_tabs_send_one_queue_once(collector: Collector, shop: Shop, context: BrowserContext) -> None:
    collector.fault = lambda exchange: answer(503)
    one, other = context.new_page(), context.new_page()
    for tab in (one, other):
        tab.goto(shop.url)
    for start in range(0, 100, 20):
        say(one, range(start, start + 10))
        say(other, range(start + 10, start + 20))
    assert flush(one) == flush(other) == 102
    collector.fault = lambda exchange: None
    for tab in (one, other):  # both at the same time
        tab.evaluate("void clickstream.flush()")
    until(lambda: len(heard(collector)) == 100)
    assert flush(one) == flush(other) == 0
    assert assert_all_heard(collector, range(100)) == 0
    sent = [tab.evaluate("clickstream.stats.sent") for tab in (one, other)]
    assert sum(sent) == 102


def test_six_busy_tabs_lose_nothing_and_repeat_nothing(
    collector: Collector, shop: Shop, context: BrowserContext
) -> None:
    tabs = [context.new_page() for _ in range(6)]
    for tab in tabs:
        tab.goto(shop.url)
    for step in range(5):
        for index, tab in enumerate(tabs):
            start = (step * 6 + index) * 5
            say(tab, range(start, start + 5))
            tab.evaluate("void clickstream.flush()")
    until(lambda: len(heard(collector)) == 150)
    assert [flush(tab) for tab in tabs] == [0] * 6
    assert assert_all_heard(collector, range(150)) == 0


def test_a_tab_that_is_stuck_with_the_lock_is_not_waited_for_for_ever(
    collector: Collector, shop: Shop, context: BrowserContext
) -> None:
    context.clock.install()
    stuck, page = context.new_page(), context.new_page()
    stuck.goto(shop.url)
    stuck.evaluate("clickstream.flush()")
    stuck.evaluate("void navigator.locks.request('_cs', () => new Promise(() => 0))")
    page.goto(shop.url)
    say(page, range(3))
    page.evaluate("void clickstream.flush()")
    page.wait_for_timeout(200)
    assert heard(collector) == {}  # it waits for its turn,
    pass_time_until(page, 15_000, lambda: len(heard(collector)) == 3)  # but not for ever
    assert_all_heard(collector, range(3))


@pytest.fixture
def mortal(playwright: Playwright, chromium: Browser) -> Iterator[Browser]:
    """A browser of its own, without a process in reserve: every renderer that it has is a tab."""
    started = launch(playwright, "chromium", "--disable-features=SpareRendererForSitePerProcess")
    yield started
    started.close()


def kill_tabs(browser: Browser) -> None:
    """End the processes of all tabs, as a lack of memory does."""
    session = browser.new_browser_cdp_session()
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        if process["type"] == "renderer":
            os.kill(process["id"], signal.SIGKILL)
    session.detach()


def after_a_crash(browser: Browser, shop: Shop, numbers: range, crashing: Callable[[Page], None]) -> Page:
    """A visitor whose tab is killed, and who opens another."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(shop.url)
    say(page, numbers)
    crashing(page)
    with page.expect_event("crash"):
        kill_tabs(browser)
    return context.new_page()


def test_a_tab_is_killed_in_mid_request(collector: Collector, shop: Shop, mortal: Browser) -> None:
    def store_late(exchange: object) -> Fault | None:
        return silence(30) if len(collector.seen) == 1 else None

    def in_flight(page: Page) -> None:
        page.evaluate("void clickstream.flush()")
        until(lambda: len(collector.seen) == 1)

    collector.fault = store_late
    page = after_a_crash(mortal, shop, range(10), in_flight)
    assert collector.lines() == []
    page.goto(shop.url)
    assert flush(page) == 0
    assert assert_all_heard(collector, range(10)) == 0


def test_a_tab_is_killed_after_the_collector_stored_and_before_it_heard(
    collector: Collector, shop: Shop, mortal: Browser
) -> None:
    def take_and_wait(exchange: object) -> Fault | None:
        if len(collector.seen) > 1:
            return None
        collector.take(collector.seen[0])
        return silence(30)

    def in_flight(page: Page) -> None:
        page.evaluate("void clickstream.flush()")
        until(lambda: len(heard(collector)) == 10)

    collector.fault = take_and_wait
    page = after_a_crash(mortal, shop, range(10), in_flight)
    page.goto(shop.url)
    assert flush(page) == 0
    assert assert_all_heard(collector, range(10)) == 11  # all of that request again, each under its own id


def test_a_tab_is_killed_right_after_its_events(collector: Collector, shop: Shop, mortal: Browser) -> None:
    page = after_a_crash(mortal, shop, range(10), lambda page: None)
    assert collector.seen == []
    page.goto(shop.url)
    assert flush(page) == 0
    assert_all_heard(collector, range(10))


def test_leaving_at_once_sends_what_waits(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    say(page, range(5))
    page.goto("about:blank")
    until(lambda: len(heard(collector)) == 5)
    [request] = collector.seen
    assert request.headers["content-type"].startswith("text/plain")
    page.goto(shop.url)  # nobody has seen the answer: the next page sends them again, under the same ids
    assert flush(page) == 0
    assert assert_all_heard(collector, range(5)) == 6


def test_a_link_to_the_shop_s_next_page_leaves_the_sending_to_it(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    say(page, range(5))
    page.click("#next")
    page.wait_for_url("**/next")
    assert collector.seen == []
    assert flush(page) == 0
    assert assert_all_heard(collector, range(5)) == 0


@pytest.mark.parametrize("attributes", ['href="#more"', 'href="/next" target="_blank"'])
def test_a_link_that_leads_to_no_next_page_here_leaves_the_sending_to_nobody(
    collector: Collector, shop: Shop, page: Page, attributes: str
) -> None:
    shop.body = f"<a id=link {attributes}>go</a>"
    page.goto(shop.url)
    say(page, range(3))
    page.click("#link")
    page.goto("about:blank")
    until(lambda: len(heard(collector)) == 3)


def test_a_tab_that_is_put_away_sends_what_waits(collector: Collector, shop: Shop, page: Page) -> None:
    stop_clock(page)  # so that no timer of a batch sends it
    page.goto(shop.url)
    assert flush(page) == 0
    say(page, range(3))
    page.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", {get: () => true});
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    until(lambda: len(heard(collector)) == 3)


def test_what_no_store_has_leaves_at_once_even_so(collector: Collector, shop: Shop, page: Page) -> None:
    shop.attributes = 'data-consent="essential"'
    page.goto(shop.url)
    say(page, range(5))
    page.click("#next")
    page.wait_for_url("**/next")
    until(lambda: len(heard(collector)) == 5)


def test_closing_a_tab_sends_what_waits(collector: Collector, shop: Shop, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(shop.url)
    say(page, range(5))
    page.close(run_before_unload=True)
    until(lambda: len(heard(collector)) == 5)
    assert_all_heard(collector, range(5))


def test_a_request_that_is_under_way_outlives_its_page_and_is_not_sent_beside_itself(
    collector: Collector, shop: Shop, page: Page
) -> None:
    collector.fault = lambda exchange: silence(1) if len(collector.seen) == 1 else None
    page.goto(shop.url)
    say(page, range(5))
    page.evaluate("void clickstream.flush()")
    until(lambda: len(collector.seen) == 1)
    say(page, range(5, 8))
    page.goto(shop.url + "/next")
    until(lambda: len(collector.seen) >= 2)
    page.wait_for_timeout(300)
    said = [[event["props"].get("n") for event in exchange.events] for exchange in collector.seen]
    assert [5, 6, 7] in said  # by the beacon of the page that went
    until(lambda: flush(page) == 0)
    assert_all_heard(collector, range(8))


def test_more_than_64_kib_pending_at_unload(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    assert flush(page) == 0
    # In one task with the leaving: the database has confirmed none of it. Beacons take half of it, localStorage the rest.
    page.evaluate(
        """url => {
            for (let n = 0; n < 100; n++) clickstream.track("said", {props: {n, pad: "x".repeat(1000)}});
            location.href = url;
        }""",
        "about:blank",
    )
    page.wait_for_url("about:blank")
    page.wait_for_timeout(500)
    at_exit = sum(len(exchange.body) for exchange in collector.seen[1:])
    assert 40_000 < at_exit <= 65_536  # as much as may go out beside the page's other requests
    page.goto(shop.url)
    until(lambda: flush(page) == 0)
    repeats = assert_all_heard(collector, range(100))
    assert repeats < 60
    assert stored(page)["local"] == []


def test_a_burst_on_a_page_that_has_only_just_begun(collector: Collector, shop: Shop, page: Page) -> None:
    shop.head = """<script>for (let n = 0; n < 60; n++) (window.clickstream ||= []).push(["track", "said", {props: {n}}]);
        addEventListener("DOMContentLoaded", () => { location.href = "about:blank" })</script>"""
    page.goto(shop.url, wait_until="commit")
    page.wait_for_url("about:blank")
    shop.head = ""
    page.goto(shop.url)
    until(lambda: flush(page) == 0)
    assert_all_heard(collector, range(60))


def test_the_quota_of_the_page_s_own_requests_is_respected(collector: Collector, shop: Shop, page: Page) -> None:
    slow = Collector(fault=lambda exchange: silence(20))
    page.goto(shop.url)
    with served(slow) as port:
        page.evaluate(
            """port => void fetch(`http://127.0.0.1:${port}/`, {
                method: "POST", mode: "no-cors", body: "x".repeat(65400), keepalive: true}).catch(() => 0)""",
            port,
        )
        until(lambda: slow.seen)
        say(page, range(20), padding=1_000)
        until(lambda: flush(page) == 0, 5)  # its first request is refused by the browser, the second is a plain one
    assert_all_heard(collector, range(20))
