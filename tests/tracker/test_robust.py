"""Pages that break what the tracker stands on, and calls that make no sense: the page never notices."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import BrowserContext, Page

from tracker_site import Collector, Shop, assert_all_heard, flush, heard, say, stored, until

BROKEN = {
    "Date.now throws": "Date.now = () => { throw new Error('x') }",
    "Date.now lies": "Date.now = () => 'soon'",
    "Array toJSON": "Array.prototype.toJSON = function () { return '[' + this.join() + ']' }",
    "all toJSON": "for (const type of [String, Object, Number, Array]) type.prototype.toJSON = () => 'broken'",
    "a foreign method on Object": "Object.prototype.extend = function () { return 1 }",
    "a foreign index on Array": "Array.prototype.last = function () { return this[this.length - 1] }",
    "no crypto.randomUUID": "Object.defineProperty(Crypto.prototype, 'randomUUID', {value: undefined})",
    "history that is frozen": "Object.freeze(history)",
    "no PerformanceObserver": "delete window.PerformanceObserver",
    "fetch that throws": "window.fetch = () => { throw new Error('x') }",
}
LATER = {
    "JSON.stringify": "JSON.stringify = () => { throw new Error('x') }",
    "fetch": "window.fetch = () => { throw new Error('x') }",
    "Date": "window.Date = function () { return {} }",
    "setTimeout": "window.setTimeout = () => { throw new Error('x') }",
    "pushState": "history.pushState = () => { throw new Error('x') }",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_page_that_was_patched_before(collector: Collector, shop: Shop, page: Page, what: str) -> None:
    page.add_init_script(BROKEN[what])
    shop.head = '<script defer src="/clickstream-vitals.js"></script>'
    page.goto(shop.url)
    say(page, range(5))
    page.evaluate("clickstream.purchase({id: 'o', value: 1, items: [{product_id: 'p', price: 1, quantity: 2}]})")
    if "fetch" in what:  # nothing can go out before the page is left
        assert flush(page) == 7
        page.goto("about:blank")
        until(lambda: len(heard(collector)) == 5)
    else:
        assert flush(page) == 0
    assert_all_heard(collector, range(5))
    [order] = [line["order"] for line in collector.lines() if line["event_name"] == "purchase"]
    assert order["items"] == [{"product_id": "p", "price": 1, "quantity": 2}]
    assert collector.lines("rejected") == []


@pytest.mark.parametrize("what", LATER)
def test_a_page_that_was_patched_after(collector: Collector, shop: Shop, page: Page, what: str) -> None:
    page.goto(shop.url)
    page.evaluate(f"() => {{ {LATER[what]} }}")
    page.evaluate("for (let n = 0; n < 5; n++) clickstream.track('said', {props: {n}})")
    page.evaluate("void clickstream.flush()")
    until(lambda: len(heard(collector)) == 5)
    assert_all_heard(collector, range(5))


def test_json_that_was_broken_before_costs_events_and_not_the_page(
    collector: Collector, shop: Shop, page: Page
) -> None:
    page.add_init_script("JSON.stringify = () => { throw new Error('x') }")
    page.goto(shop.url)
    page.evaluate("clickstream.track('said', {props: {n: 1}})")
    assert page.evaluate("clickstream.stats.dropped.failed") >= 1
    assert collector.seen == []


def test_a_policy_that_blocks_the_collector(collector: Collector, shop: Shop, context: BrowserContext) -> None:
    shop.headers = {"content-security-policy": "default-src 'self'"}
    page = context.new_page()
    page.goto(shop.url)
    say(page, range(5))
    assert flush(page) == 6
    page.goto(shop.url + "/next")
    assert flush(page) == 7
    assert collector.seen == []
    shop.headers = {}  # the shop's developer has read the console
    page.goto(shop.url + "/fixed")
    until(lambda: flush(page) == 0)
    assert_all_heard(collector, range(5))
    assert stored(page)["local"] == []


def test_the_strictest_policy_that_works(collector: Collector, shop: Shop, page: Page) -> None:
    origin = collector.url.removesuffix("/clickstream")
    shop.headers = {"content-security-policy": f"default-src 'none'; script-src 'self'; connect-src {origin}"}
    shop.body = ""
    page.goto(shop.url)
    page.wait_for_timeout(1_200)
    assert collector.names() == ["page_view"]


def test_calls_before_the_script_has_loaded(collector: Collector, shop: Shop, page: Page) -> None:
    shop.head = """<script>
        (window.clickstream ||= []).push(["track", "said", {props: {n: 0}}], ["nonsense"], ["login", "u-1"]);
        clickstream.push(["purchase", {id: "o-1", value: 5, currency: "EUR"}]);
    </script>"""
    page.goto(shop.url)
    page.evaluate("clickstream.push(['track', 'said', {props: {n: 1}}])")
    assert flush(page) == 0
    assert collector.names() == ["page_view", "said", "login", "purchase", "said"]
    assert_all_heard(collector, range(2))


def test_a_call_that_makes_no_sense_costs_none_of_those_after_it(collector: Collector, shop: Shop, page: Page) -> None:
    shop.head = "<script>window.clickstream = [['track', 'first'], {event: 'gtm'}, null, ['track', 'last']]</script>"
    page.goto(shop.url)
    assert flush(page) == 0
    assert collector.names() == ["page_view", "first", "last"]


def test_a_page_view_that_cannot_be_written_costs_nothing_but_itself(
    collector: Collector, shop: Shop, page: Page
) -> None:
    page.goto(shop.url)
    page.evaluate("clickstream.pageView({props: {id: 10n}})")
    page.wait_for_timeout(1_300)
    page.evaluate("clickstream.pageView({props: {id: 10n}})")
    page.evaluate("clickstream.purchase({id: 'o-1', value: 1, currency: 'EUR'})")
    page.evaluate("clickstream.pageView({props: {id: 10n}})")
    say(page, range(1))
    page.evaluate("clickstream.pageView({props: {id: 10n}})")
    page.goto("about:blank")
    until(lambda: [name for name in collector.names() if name != "engagement"] == ["page_view", "purchase", "said"])


def test_a_price_may_be_an_object_that_says_itself_what_it_is(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    page.evaluate(
        """() => {
            class Decimal { constructor(digits) { this.d = digits } toJSON() { return this.d } }
            clickstream.purchase({id: "o-1", value: new Decimal("9.99"), currency: "EUR"});
        }"""
    )
    assert flush(page) == 0
    assert [line["order"]["value"] for line in collector.lines() if "order" in line] == [9.99]


def test_a_tag_of_the_wrong_type_still_hears_its_attributes(collector: Collector, shop: Shop, page: Page) -> None:
    """A module has no `document.currentScript`: without its attributes, a `none` would be all."""
    shop.page = lambda path: (  # type: ignore[method-assign]
        f"<!doctype html><title>x</title><script type=module src=/clickstream.js data-consent=none"
        f' data-endpoint="{collector.url}"></script>'
    )
    page.goto(shop.url)
    assert flush(page) == 1
    assert stored(page) == {"cookies": [], "local": [], "databases": []}
    page.evaluate("clickstream.consent('granted')")
    assert flush(page) == 0
    assert collector.names() == ["page_view"]


def test_the_module_for_bundlers_does_the_same(collector: Collector, shop: Shop, page: Page) -> None:
    shop.script = b"0"
    page.goto(shop.url)
    shop.script = b""
    page.evaluate(
        """async endpoint => {
            const { start } = await import("/clickstream.mjs");
            window.clickstream = start({ endpoint, links: "off" });
            if (start({}) !== clickstream) throw new Error("a second tracker");
        }""",
        collector.url,
    )
    say(page, range(3))
    assert flush(page) == 0
    assert collector.names() == ["page_view", *["said"] * 3]
    assert_all_heard(collector, range(3))


def test_the_tag_twice_is_one_tracker(collector: Collector, shop: Shop, page: Page) -> None:
    shop.head = f'<script src="/clickstream.js" data-endpoint="{collector.url}"></script>'
    page.goto(shop.url)
    assert flush(page) == 0
    assert collector.names() == ["page_view"]


def test_an_insecure_host_has_no_locks_and_still_sends_once(
    collector: Collector, shop: Shop, context: BrowserContext
) -> None:
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', {value: undefined})")
    tabs = [context.new_page() for _ in range(2)]
    for index, tab in enumerate(tabs):
        tab.goto(shop.url)
        say(tab, range(index * 5, index * 5 + 5))
        tab.evaluate("void clickstream.flush()")
    for tab in tabs:
        until(lambda tab=tab: flush(tab) == 0)
    assert_all_heard(collector, range(10))


CALLS = [
    "viewProduct()",
    "viewProduct(null)",
    "viewProduct(document.body)",
    "addToCart(window)",
    "addToCart({id: 'p'}, NaN)",
    "purchase(new Proxy({}, {ownKeys() { throw new Error('x') }}))",
    "purchase({get id() { throw new Error('x') }})",
    "track()",
    "track(Symbol('x'))",
    "track('cycle', (() => { const props = {}; props.props = props; return {props} })())",
    "track('big', {props: {n: 10n}})",
    "track('deep', {props: JSON.parse('['.repeat(3000) + ']'.repeat(3000))})",
    "track('odd', {props: {f() {}, d: new Date(NaN), m: new Map(), u: undefined, i: Infinity, s: '\\ud83d'}})",
    "search(undefined, 5)",
    "login()",
    "login({})",
    "login('eyJ.eyJ.x')",
    "login('')",
    "logout(7)",
    "consent()",
    "consent('toString')",
    "pageView(9)",
    "push(0)",
    "push(null, ['track', 'fine'])",
    "push(['__proto__', 1], ['constructor'])",
    "click(null, 'x')",
]


def test_calls_that_make_no_sense_are_the_tracker_s_own_trouble(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    for number, call in enumerate(CALLS):
        page.evaluate(f"() => {{ clickstream.{call} }}")
        say(page, range(number, number + 1))
    page.evaluate("clickstream.consent('granted')")
    assert flush(page) == 0
    assert_all_heard(collector, range(len(CALLS)))


def test_a_long_text_costs_no_time(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    texts = ["x" * 50_000, "?" * 50_000, "a=" * 25_000, "?a" * 25_000, "@" * 50_000, "a@b." * 12_000, "eyJ" * 16_000]
    took = page.evaluate(
        "texts => texts.map((pad) => { const t = performance.now(); clickstream.track('long', {props: {pad}});"
        " return performance.now() - t })",
        texts,
    )
    assert max(took) < 200, took


def test_names_that_pages_give_their_elements_hide_nothing(collector: Collector, shop: Shop, page: Page) -> None:
    shop.body = "<form name='title'></form><form name='cookie'></form><img name='referrer'><a id='clickstream'></a>"
    page.goto(shop.url)
    page.evaluate("window.clickstream.track('said', {props: {n: 0}})")
    assert page.evaluate("window.clickstream.flush().then(() => window.clickstream.pending())") == 0
    assert sorted(heard(collector)) == [0]


def test_what_is_shown_to_a_shop_s_developer(shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    names = page.evaluate("Object.keys(clickstream).sort()")
    assert json.dumps(names) == json.dumps(
        sorted(
            [
                "addToCart",
                "checkout",
                "click",
                "consent",
                "flush",
                "login",
                "logout",
                "pageView",
                "pending",
                "purchase",
                "push",
                "refund",
                "removeFromCart",
                "search",
                "stats",
                "track",
                "viewProduct",
            ]
        )
    )
