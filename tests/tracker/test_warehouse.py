"""What the browser did stands in the tables: each event once, with what was clicked, and the books balance."""

from __future__ import annotations

import random

from playwright.sync_api import Browser, Page

from books import assert_books_balance, loaded
from clickstream_dagster.stack import Stack
from tracker_site import Collector, Exchange, Fault, Shop, answer, cut_off, flush, heard, say, until


def test_a_rough_hour_leaves_each_event_once(collector: Collector, shop: Shop, chromium: Browser, stack: Stack) -> None:
    """Faults at random on a third of the requests, three tabs, page changes, a closed tab: nothing is lost or doubled."""
    dice = random.Random(4)

    def rough(exchange: Exchange) -> Fault | None:
        faults = [answer(503), answer(500), answer(200, "<html>"), answer(429), cut_off(collector)]
        return dice.choice(faults) if dice.random() < 0.35 else None

    collector.fault = rough
    context = chromium.new_context()
    tabs = [context.new_page() for _ in range(3)]
    for tab in tabs:
        tab.goto(shop.url)
    for number in range(0, 120, 4):
        tab = dice.choice(tabs)
        say(tab, range(number, number + 4))
        if dice.random() < 0.4:
            tab.goto(f"{shop.url}/page-{number}")
        elif dice.random() < 0.5:
            tab.evaluate("void clickstream.flush()")
    tabs.pop().close(run_before_unload=True)
    collector.fault = lambda exchange: None
    for tab in tabs:
        until(lambda tab=tab: flush(tab) == 0)
    context.close()
    ask = loaded(stack, collector)
    rows = ask("select props ->> 'n', count(*) from clickstream_events where event_name = 'said' group by 1")
    assert {int(number): count for number, count in rows} == dict.fromkeys(range(120), 1)
    assert set(heard(collector)) == set(range(120))
    assert_books_balance(ask, collector)
    assert len(ask("select distinct visitor_id from clickstream_events")) == 1


def buy(page: Page, shop: Shop) -> None:
    """A visit as a shop's pages would tell it."""
    product = "{id: 'sku-1', name: 'Laptop', category: 'Computers', price: 1200, discount_price: 999, currency: 'EUR'}"
    order = "{id: 'BF-1', value: 1998, currency: 'EUR', items: [{product_id: 'sku-1', name: 'Laptop', price: 999, quantity: 2}]}"
    steps = [
        ("/?utm_source=news&utm_medium=email", ""),
        ("/search?q=laptop", "clickstream.search('laptop', {results: 3})"),
        ("/search?q=unobtainium", "clickstream.search('unobtainium', {results: 0})"),
        ("/product/laptop", f"clickstream.viewProduct({product})"),
        ("", f"clickstream.addToCart({product}, 2)"),
        ("/account", "clickstream.login('u-1')"),
        ("/checkout", f"clickstream.checkout({order})"),
        ("/thank-you", f"clickstream.purchase({order})"),
    ]
    for path, call in steps:
        if path:
            page.goto(shop.url + path)
        if call:
            page.evaluate(call)
    assert flush(page) == 0


def test_a_visit_becomes_a_session_a_funnel_and_an_order(
    collector: Collector, shop: Shop, page: Page, stack: Stack
) -> None:
    buy(page, shop)
    ask = loaded(stack, collector)
    [session] = ask(
        "select page_view_count, product_view_count, search_count, add_to_cart_count, checkout_count, order_count,"
        " funnel_step, channel, user_id, is_bounce, entry_path, exit_path, is_new_visitor from fact_sessions"
    )
    assert session == (6, 1, 2, 1, 1, 1, 4, "email", "u-1", False, "/", "/thank-you", True)
    assert [tuple(map(str, row)) for row in ask("select order_id, revenue, currency from fact_orders")] == [
        ("BF-1", "1998.00", "EUR")
    ]
    terms = dict(ask("select term, without_results from agg_daily_search"))
    assert terms == {"laptop": 0, "unobtainium": 1}
    [row] = ask(
        "select user_login_state, identity_source, is_first_visit, tracker_version, consent, is_automated"
        " from clickstream_events where event_name = 'purchase'"
    )
    assert row == ("logged_in", "login", True, "0.1.0", "granted", True)  # a driven browser says that it is one
    assert_books_balance(ask, collector)
