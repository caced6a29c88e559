"""Storage that is full, denied, broken or silent: events go on, by the next store that takes them."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tracker_site import Collector, Shop, answer, assert_all_heard, flush, heard, say, stop_clock, stored, until

DENY = """(target, name) => Object.defineProperty(target, name, {
    get() { throw new DOMException("denied", "SecurityError") },
    set() { throw new DOMException("denied", "SecurityError") }})"""
DENIED = {
    "localStorage": f"({DENY})(window, 'localStorage')",
    "indexedDB": f"({DENY})(window, 'indexedDB')",
    "cookies": f"({DENY})(Document.prototype, 'cookie')",
    "locks": f"({DENY})(Navigator.prototype, 'locks')",
    "a database that fails": "indexedDB.open = () => { const r = {}; setTimeout(() => r.onerror(new Event('error'))); return r }",
    # Its patience of three seconds is cut to a tenth of one.
    "a database that is silent": "IDBFactory.prototype.open = () => ({}); const original = setTimeout;"
    " window.setTimeout = (work, wait) => original(work, wait == 3000 ? 100 : wait)",
    "no database": "delete window.indexedDB; Object.defineProperty(window, 'indexedDB', {value: undefined})",
}
FULL = (
    "for (let n = 20; n >= 0; n--) try { for (;;) localStorage['shop' + Math.random()] = 'x'.repeat(2 ** n) } catch {}"
)


@pytest.mark.usefixtures("in_the_warehouse")
@pytest.mark.parametrize("what", DENIED)
def test_one_store_less_loses_nothing_even_over_a_page_change(
    collector: Collector, shop: Shop, page: Page, what: str
) -> None:
    collector.fault = lambda exchange: answer(503)
    page.add_init_script(DENIED[what])
    page.goto(shop.url)
    say(page, range(10))
    flush(page)
    page.goto(shop.url + "/next")
    say(page, range(10, 20))
    collector.fault = lambda exchange: None
    until(lambda: flush(page) == 0)
    assert_all_heard(collector, range(20))


@pytest.mark.usefixtures("in_the_warehouse")
def test_all_stores_denied_still_sends_what_the_page_has(collector: Collector, shop: Shop, page: Page) -> None:
    for script in ("localStorage", "indexedDB", "cookies", "locks"):
        page.add_init_script(DENIED[script])
    collector.fault = lambda exchange: answer(503)
    page.goto(shop.url)
    say(page, range(10))
    assert flush(page) == 11
    collector.fault = lambda exchange: None
    until(lambda: flush(page) == 0)
    assert_all_heard(collector, range(10))
    assert len({line["client_id"] for line in collector.lines()}) == 1
    say(page, range(10, 15))
    page.goto("about:blank")
    until(lambda: len(heard(collector)) == 15)


def test_a_sandboxed_frame_where_the_browser_itself_denies_everything(
    collector: Collector, shop: Shop, page: Page
) -> None:
    page.goto(shop.url)
    flush(page)
    with page.expect_event("framenavigated"):
        page.evaluate(
            """() => {
                const frame = document.createElement("iframe");
                frame.sandbox = "allow-scripts";
                frame.src = "/framed";
                document.body.append(frame);
            }"""
        )
    frame = page.frames[1]
    frame.wait_for_load_state()
    frame.evaluate("for (let n = 0; n < 5; n++) clickstream.track('said', {props: {n}})")
    assert frame.evaluate("clickstream.flush().then(() => clickstream.pending())") == 0
    assert_all_heard(collector, range(5))


@pytest.mark.usefixtures("in_the_warehouse")
def test_a_full_local_storage_is_left_as_it_is(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    flush(page)
    page.evaluate(FULL)
    before = page.evaluate("localStorage.length")
    collector.fault = lambda exchange: answer(503, headers={"retry-after": "1"})
    say(page, range(10))
    flush(page)
    page.goto(shop.url + "/next")
    assert page.evaluate("localStorage.length") == before
    collector.fault = lambda exchange: None
    until(lambda: flush(page) == 0)
    assert_all_heard(collector, range(10))


@pytest.mark.usefixtures("in_the_warehouse")
def test_both_stores_full(collector: Collector, shop: Shop, chromium: Browser, page: Page) -> None:
    page.goto(shop.url)
    flush(page)
    session = page.context.new_cdp_session(page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": shop.url, "quotaSize": 1})
    page.evaluate(FULL)
    collector.fault = lambda exchange: answer(503)
    say(page, range(30), padding=1_000)
    assert flush(page) == 30
    collector.fault = lambda exchange: None
    until(lambda: flush(page) == 0)
    assert_all_heard(collector, range(30))


def test_what_others_broke_is_thrown_away(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    flush(page)
    page.evaluate(
        """() => {
            document.cookie = "_cs=1:nonsense; path=/";
            const time = "0" + Date.now().toString(16);
            const id = time.slice(0, 8) + "-" + time.slice(8) + "-7000-8000-000000000000";
            localStorage["_cs.q." + id] = '{"event_name":"cut';
            localStorage["_cs.q."] = "";
            localStorage["_cs.until"] = "soon";
        }"""
    )
    say(page, range(5))
    assert flush(page) == 0
    assert_all_heard(collector, range(5))
    assert collector.lines("rejected") == []
    assert stored(page)["local"] == ["_cs.until"]
    page.evaluate("document.cookie = '_cs=1:' + 'x'.repeat(3000) + '; path=/'")
    page.goto(shop.url)
    assert flush(page) == 0
    assert all(len(line["client_id"]) == 36 for line in collector.lines())


@pytest.mark.parametrize("version", [1, 7])
def test_a_database_of_another_make(collector: Collector, shop: Shop, context: BrowserContext, version: int) -> None:
    shop.script = b"0"  # a page of the same host, without the tracker
    page = context.new_page()
    page.goto(shop.url)
    page.evaluate(
        """version => new Promise((resolve) => {
            const request = indexedDB.open("_cs", version);
            request.onsuccess = () => { request.result.close(); resolve() };
        })""",
        version,
    )
    shop.script = b""
    collector.fault = lambda exchange: answer(503)
    page.goto(shop.url)
    say(page, range(5))
    flush(page)
    page.goto(shop.url + "/next")
    collector.fault = lambda exchange: None
    until(lambda: flush(page) == 0)
    assert_all_heard(collector, range(5))


def test_the_queue_has_bounds_and_counts_what_falls_out(collector: Collector, shop: Shop, page: Page) -> None:
    collector.fault = lambda exchange: answer(503)
    stop_clock(page)
    page.goto(shop.url)
    for start in range(0, 700, 100):
        say(page, range(start, start + 100))
    assert flush(page) == 500
    assert page.evaluate("clickstream.stats.dropped") == {"expired": 201}
    page.clock.fast_forward(2_000)
    page.goto(shop.url + "/next")  # and over pages
    say(page, range(700, 800))
    assert page.evaluate("Promise.all([clickstream.pending(), clickstream.pending()])") == [500, 500]
    assert page.evaluate("clickstream.stats.dropped") == {"expired": 101}  # with the page view, and not twice
    assert flush(page) == 500
    collector.fault = lambda exchange: None
    until(lambda: flush(page) == 0, 20)
    assert sorted(heard(collector))[-400:] == list(range(400, 800))  # the newest are kept


def test_the_queue_is_bounded_in_bytes_and_local_storage_more_so(collector: Collector, shop: Shop, page: Page) -> None:
    collector.fault = lambda exchange: answer(503)
    page.add_init_script(DENIED["indexedDB"])
    page.goto(shop.url)
    say(page, range(30), padding=10_000)
    assert flush(page) == 31
    used = page.evaluate("Object.entries(localStorage).reduce((sum, [key, value]) => sum + value.length, 0)")
    assert 100_000 < used <= 130_000
    say(page, range(30, 100), padding=10_000)
    assert 40 < flush(page) < 52


def test_an_event_too_large_for_the_collector_is_not_queued(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    say(page, range(1), padding=70_000)
    say(page, range(1, 3))
    assert flush(page) == 0
    assert sorted(heard(collector)) == [1, 2]
    assert page.evaluate("clickstream.stats.dropped") == {"too_much": 1}


def test_an_event_that_waited_for_more_than_a_week_is_not_sent(collector: Collector, shop: Shop, page: Page) -> None:
    collector.fault = lambda exchange: answer(503)
    page.clock.install()
    page.goto(shop.url)
    say(page, range(5))
    flush(page)
    page.clock.fast_forward(7 * 86_400_000 + 60_000)
    say(page, range(5, 8))
    flush(page)  # what was on its way before the week passed is refused as well
    collector.fault = lambda exchange: None
    until(lambda: flush(page) == 0)
    assert sorted(heard(collector)) == [5, 6, 7]
    assert page.evaluate("clickstream.stats.dropped") == {"expired": 6}


def test_the_shop_s_own_keys_are_not_touched(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    page.evaluate("localStorage.cart = '[1]'; document.cookie = 'basket=1; path=/'")
    say(page, range(3))
    assert flush(page) == 0
    page.evaluate("clickstream.consent('none')")
    assert stored(page)["local"] == ["cart"]
    assert page.evaluate("document.cookie") == "basket=1"
    assert json.loads(page.evaluate("localStorage.cart")) == [1]
