"""A collector that is in trouble, and what stands between it and the page: nothing is lost, nothing counts twice."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import BrowserContext, Page

from tracker_site import (
    Collector,
    Fault,
    Shop,
    answer,
    assert_all_heard,
    cut_off,
    flush,
    heard,
    hold_clock,
    pass_time_until,
    say,
    served,
    silence,
    stop_clock,
    until,
)

pytestmark = pytest.mark.usefixtures("in_the_warehouse")
PORTAL = "<html><title>Free Wi-Fi</title>Accept our terms to go online</html>"
COLLECTORS = {"content-type": "application/json"}


def first(count: int, fault: Fault) -> object:
    """The first requests meet a fault, those after them do not."""
    left = [fault] * count
    return lambda exchange: left.pop() if left else None


def test_one_batch_in_text_that_needs_no_preflight(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    say(page, range(5))
    assert flush(page) == 0
    assert assert_all_heard(collector, range(5)) == 0
    [request] = collector.seen
    assert request.headers["content-type"].startswith("text/plain")
    assert "cookie" not in request.headers
    assert request.headers["referer"] == shop.url + "/"
    assert json.loads(request.body)["sent_at"] >= max(event["event_timestamp"] for event in request.events)
    assert collector.names() == ["page_view"] + ["said"] * 5
    assert page.evaluate("clickstream.stats") == {"sent": 6, "dropped": {}}


def test_a_first_event_goes_out_after_a_second_and_a_purchase_at_once(
    collector: Collector, shop: Shop, page: Page
) -> None:
    page.clock.install()
    page.goto(shop.url)
    until(lambda: len(collector.lines()) == 1)
    hold_clock(page)  # so that the second of a batch does not pass
    page.evaluate("clickstream.purchase({id: 'o-1', value: '12.50', currency: 'EUR', items: []})")
    page.clock.run_for(50)
    until(lambda: len(collector.lines()) == 2)
    assert collector.names() == ["page_view", "purchase"]


@pytest.mark.parametrize("status", [503, 500, 502, 408])
def test_a_collector_in_trouble_for_minutes(collector: Collector, shop: Shop, page: Page, status: int) -> None:
    is_down = True
    collector.fault = lambda exchange: answer(status) if is_down else None
    page.clock.install()
    page.goto(shop.url)
    say(page, range(10))
    assert flush(page) == 11
    for _ in range(6):
        page.clock.fast_forward(60_000)
        page.wait_for_timeout(50)
    assert 2 <= len(collector.seen) <= 30  # in six minutes: it backs off
    is_down = False
    pass_time_until(page, 300_000, lambda: len(heard(collector)) == 10)
    assert flush(page) == 0
    assert_all_heard(collector, range(10))
    assert page.evaluate("clickstream.stats.dropped") == {}


def test_no_collector_at_all_and_then_there_is_one(shop: Shop, page: Page) -> None:
    collector = shop.collector = Collector()
    with served(collector) as port:
        collector.url = f"http://127.0.0.1:{port}/clickstream"
    page.goto(shop.url)
    say(page, range(10))
    assert flush(page) == 11
    with served(collector, port):
        until(lambda: flush(page) == 0)
    assert_all_heard(collector, range(10))


def test_waits_grow_and_have_jitter(collector: Collector, shop: Shop, page: Page) -> None:
    collector.fault = lambda exchange: answer(503)
    waits = """async () => {
        const asked = [], original = setTimeout;
        window.setTimeout = (work, wait, ...rest) => (asked.push(wait), original(work, wait, ...rest));
        return asked;
    }"""
    page.add_init_script(f"window.asked = ({waits})()")
    page.goto(shop.url)
    asked = []
    for _ in range(12):
        flush(page)
        asked.append(page.evaluate("asked.then((all) => all.filter((wait) => wait != 10000 && wait != 3000).pop())"))
    assert max(asked) <= 300_000
    assert max(asked[8:]) > max(asked[:2])
    assert len(set(asked)) > 8
    assert len({wait / 2**step for step, wait in enumerate(asked[:6])}) > 4  # by chance, not by the power of two alone


def test_an_event_that_never_passes_does_not_hold_up_the_others(collector: Collector, shop: Shop, page: Page) -> None:
    collector.fault = lambda exchange: answer(500) if b"poison" in exchange.body else None
    page.goto(shop.url)
    assert flush(page) == 0
    page.evaluate("clickstream.track('poison')")
    say(page, range(10))
    until(lambda: flush(page) == 1, 60)
    assert_all_heard(collector, range(10))


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_for_all_tabs_and_the_next_page(
    collector: Collector, shop: Shop, context: BrowserContext, status: int
) -> None:
    exposed = {"retry-after": "3", "access-control-expose-headers": "retry-after"}
    collector.fault = first(1, answer(status, headers=exposed))  # type: ignore[assignment]
    one, other = context.new_page(), context.new_page()
    one.goto(shop.url)
    say(one, range(3))
    assert flush(one) == 4
    other.goto(shop.url + "/other")
    say(other, range(3, 6))
    flush(other)
    one.goto(shop.url + "/next")
    say(one, range(6, 9))
    flush(one)
    assert len(collector.seen) == 1
    until(lambda: len(heard(collector)) == 9)
    assert collector.seen[1].at - collector.seen[0].at >= 2.9
    until(lambda: flush(one) == flush(other) == 0)
    assert_all_heard(collector, range(9))


def test_a_retry_after_may_be_a_date_and_a_collector_s_own_503_is_obeyed(
    collector: Collector, shop: Shop, page: Page
) -> None:
    headers = {"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT", "access-control-expose-headers": "retry-after"}
    collector.fault = first(1, answer(503, headers=headers))  # type: ignore[assignment]
    page.goto(shop.url)
    flush(page)
    until(lambda: page.evaluate("+localStorage['_cs.until'] - Date.now()") > 86_000_000)
    assert page.evaluate("+localStorage['_cs.until'] - Date.now()") <= 86_400_000  # no more than a day is believed
    assert flush(page) == 1
    assert len(collector.seen) == 1


def too_large(limit: int) -> object:
    """A proxy that takes fewer bytes than the collector does."""
    return lambda exchange: answer(413, "<h1>Too large</h1>") if len(exchange.body) > limit else None


def test_413_makes_batches_smaller_and_costs_only_what_never_fits(collector: Collector, shop: Shop, page: Page) -> None:
    collector.fault = too_large(4_000)  # type: ignore[assignment]
    page.goto(shop.url)
    say(page, range(20), padding=100)
    say(page, range(20, 21), padding=5_000)
    say(page, range(21, 25), padding=100)
    assert flush(page) == 0
    found = heard(collector)
    assert sorted(found) == [n for n in range(25) if n != 20]
    assert len(collector.ids()) == len(set(collector.ids()))
    assert page.evaluate("clickstream.stats.dropped") == {"413": 1}


def test_400_is_the_collector_s_word_on_each_event_and_is_not_asked_again(
    collector: Collector, shop: Shop, page: Page
) -> None:
    page.goto(shop.url)
    flush(page)
    page.evaluate("clickstream.track('No Name')")
    page.evaluate("clickstream.track('2 names')")
    assert flush(page) == 0
    assert [exchange.status for exchange in collector.seen] == [200, 400]
    assert [line["code"] for line in collector.lines("rejected")] == ["invalid_event_name", "invalid_event_name"]
    page.evaluate("clickstream.track('Bad Name')")
    say(page, range(3))
    assert flush(page) == 0
    assert collector.seen[-1].status == 200
    assert page.evaluate("clickstream.stats") == {"sent": 4, "dropped": {"rejected": 3}}
    assert_all_heard(collector, range(3))


def test_a_firewall_that_dislikes_one_event_costs_only_that_one(collector: Collector, shop: Shop, page: Page) -> None:
    collector.fault = lambda exchange: answer(403, "Forbidden") if b"<script>" in exchange.body else None
    page.goto(shop.url)
    say(page, range(7))
    page.evaluate("clickstream.search('<script>alert(1)</script>')")
    say(page, range(7, 14))
    assert flush(page) == 0
    assert_all_heard(collector, range(14))
    assert page.evaluate("clickstream.stats.dropped") == {"403": 1}


@pytest.mark.parametrize("status", [401, 404])
def test_an_endpoint_that_is_wrong_drops_counts_and_does_not_hammer(
    collector: Collector, shop: Shop, page: Page, status: int
) -> None:
    collector.fault = lambda exchange: answer(status, '{"message": "no"}')
    page.goto(shop.url)
    say(page, range(8))
    assert flush(page) == 0
    assert page.evaluate("clickstream.stats") == {"sent": 0, "dropped": {str(status): 9}}
    assert len(collector.seen) <= 9 + 4


@pytest.mark.parametrize("body", [PORTAL, "", "{}", '"ok"', "null", '{"accepted": "all"}'])
def test_a_200_that_is_not_the_collector_s_acknowledges_nothing(
    collector: Collector, shop: Shop, page: Page, body: str
) -> None:
    collector.fault = first(2, answer(200, body))  # type: ignore[assignment]
    stop_clock(page)
    page.goto(shop.url)
    say(page, range(5))
    assert flush(page) == 6
    assert flush(page) == 6
    assert flush(page) == 0
    assert assert_all_heard(collector, range(5)) == 0


def test_a_portal_that_redirects_acknowledges_nothing(collector: Collector, shop: Shop, page: Page) -> None:
    collector.fault = first(2, answer(302, headers={"location": shop.url + "/portal"}))  # type: ignore[assignment]
    stop_clock(page)
    page.goto(shop.url)
    say(page, range(5))
    assert flush(page) == 6
    assert flush(page) == 6
    assert flush(page) == 0
    assert_all_heard(collector, range(5))


def test_an_answer_that_never_comes_is_given_up(collector: Collector, shop: Shop, page: Page) -> None:
    collector.fault = first(1, silence(30))  # type: ignore[assignment]
    page.clock.install()
    page.goto(shop.url)
    say(page, range(5))
    page.evaluate("void clickstream.flush()")
    until(lambda: len(collector.seen) == 1)
    pass_time_until(page, 10_000, lambda: len(heard(collector)) == 5)
    assert flush(page) == 0
    assert_all_heard(collector, range(5))


def test_an_answer_that_is_lost_makes_a_repeat_and_no_second_event(
    collector: Collector, shop: Shop, page: Page
) -> None:
    collector.fault = first(2, cut_off(collector))  # type: ignore[assignment]
    stop_clock(page)
    page.goto(shop.url)
    say(page, range(5))
    assert flush(page) == 6
    assert flush(page) == 6
    assert flush(page) == 0
    assert assert_all_heard(collector, range(5)) == 12


def test_offline_for_a_while_then_online(collector: Collector, shop: Shop, context: BrowserContext, page: Page) -> None:
    page.goto(shop.url)
    flush(page)
    context.set_offline(True)
    say(page, range(60))
    assert flush(page) == 60
    for _ in range(9):
        flush(page)  # each failure makes the next wait longer
    say(page, range(60, 70))
    assert flush(page) == 70
    context.set_offline(False)
    until(lambda: len(heard(collector)) == 70, 5)  # by the browser's own event, whatever the wait was
    assert flush(page) == 0
    assert_all_heard(collector, range(70))


def test_what_the_collector_could_not_keep_is_told_on_the_console_and_money_is_rounded(
    collector: Collector, shop: Shop, page: Page
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(shop.url)
    flush(page)
    assert said == []
    page.evaluate("clickstream.purchase({id: 'A', value: 19.99 * 3 + 204.69 + 39.9, currency: '€'})")
    flush(page)
    [purchase] = [event for event in collector.lines() if event["event_name"] == "purchase"]
    assert purchase["order"] == {"id": "A", "value": 304.56}
    assert purchase["warnings"] == [{"code": "invalid_currency", "field": "order.currency"}]
    assert len(said) == 1 and "warnings: Array(1)" in said[0]
