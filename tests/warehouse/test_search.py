"""What is searched for, what nobody clicks, and what searches lead to; and texts that visitors make long."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

from clickstream_dagster.stack import Stack
from ingest_lambda.contract import Device, Event, Order, OrderItem, Product
from support.stories import event, five_weeks, rows, tell, visits

COUNTS = "select term, searches, without_results, clicked, sessions, orders, revenue from agg_daily_search"


def search(when: str, query: str | None, visitor: str = "ann", **more: Any) -> Event:
    return event(when, "search", visitor, search_query=query, **more)


def order(when: str, number: str, value: str, visitor: str = "ann", currency: str | None = None) -> Event:
    return event(when, "purchase", visitor, order=Order(id=number, value=Decimal(value), currency=currency))


def test_a_search_is_clicked_or_not_and_leads_to_its_orders(stack: Stack) -> None:
    tell(
        stack,
        search("1 10:00", "mouse", props={"results": 3}),
        event("1 10:01", "click"),
        search("1 10:02", "keybord", props={"results": 0}),  # nobody clicks: the next event is another search
        search("1 10:03", "keyboard", props={"results": 8}),
        event("1 10:04", "view_product"),
        event("1 10:05", "click"),
        order("1 10:06", "o1", "20"),
        order("1 10:06:30", "o1", "20"),  # the thank-you page again
        search("1 10:07", "mouse"),
        order("1 10:08", "o2", "5.50"),
        # Bob's order comes before his search; Cleo's comes a session later.
        order("1 11:00", "o3", "9", "bob"),
        search("1 11:01", "mouse", "bob", props={"results": "0"}),
        search("1 12:00", "mouse", "cleo", props={"results": 0.0}),
        order("1 14:00", "o4", "9", "cleo"),
    )
    assert rows(stack, f"{COUNTS} order by 1") == [
        ("keyboard", 1, 0, 1, 1, 1, 20),
        ("keybord", 1, 1, 0, 1, 0, 0),
        ("mouse", 4, 2, 1, 3, 1, Decimal("5.50")),
    ]


def test_one_term_is_written_in_many_ways(stack: Stack) -> None:
    tell(
        stack,
        search("1 10:00", "  Bàn\u00a0\t PHÍM "),
        search("1 10:01", "ba\u0300n phi\u0301m"),  # the same letters, decomposed
        search("1 10:02", "bàn\u3000phím\n"),
        search("1 10:03", " \u2003 "),
        search("1 10:04", None),
        search("1 10:05", "x" * 199 + " y"),
    )
    assert rows(stack, "select term, searches, sessions from agg_daily_search order by 1") == [
        ("bàn phím", 3, 1),
        ("x" * 199, 1, 1),
    ]


def test_an_empty_search_is_none(stack: Stack) -> None:
    tell(
        stack, search("1 10:00", "mouse"), search("1 10:01", " "), event("1 10:02", "click"), order("1 10:03", "o", "1")
    )
    assert rows(stack, COUNTS) == [("mouse", 1, 0, 1, 1, 1, 1)]


def test_money_stays_in_its_currency_and_a_session_is_counted_once(stack: Stack) -> None:
    tell(
        stack,
        search("1 10:00", "mouse"),
        search("1 10:01", "mouse"),
        order("1 10:02", "o1", "10", currency="EUR"),
        order("1 10:03", "o2", "7", currency="USD"),
        search("1 12:00", "mouse", "bob"),
    )
    found = rows(
        stack,
        "select currency, searches, sessions, orders, revenue from agg_daily_search where term = 'mouse' order by 1",
    )
    assert found == [("EUR", 2, 1, 1, 10), ("USD", 1, 1, 1, 7)]


def test_over_midnight_a_search_counts_on_its_session_s_date_and_an_order_on_its_own(stack: Stack) -> None:
    tell(stack, search("1 23:50", "mouse"))
    tell(stack, order("2 00:10", "o1", "10"))
    counts = "select extract(day from local_date), term, searches, orders from agg_daily_search order by 1, 2, 3"
    assert rows(stack, counts) == [(6, "mouse", 1, 0), (7, "mouse", 0, 1)]
    tell(stack, search("2 00:05", "board"))  # which comes late, and is the last one before the order
    assert rows(stack, counts) == [(6, "board", 1, 0), (6, "mouse", 1, 0), (7, "board", 0, 1)]


def test_all_searches_and_orders_are_what_the_events_say(stack: Stack) -> None:
    number = iter(range(10_000))
    events = five_weeks(
        3,
        ("search", "search", "click", "view_product", "page_view", "purchase"),
        visitors=60,
        search_query=lambda rng, name: rng.choice(("Mouse", "mouse ", "board", "", None)) if name == "search" else None,
        order=lambda rng, name: (
            Order(id=f"o{next(number)}", value=Decimal(rng.randint(1, 9999)) / 100) if name == "purchase" else None
        ),
    )
    tell(stack, *events)
    searched, clicked, orders, revenue = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for visit in visits(events):
        term, is_clicked = "", False
        for one in sorted(
            visit.events, key=lambda one: (one.event_timestamp, one.event_name != "search", one.event_id)
        ):
            if one.event_name == "search" and (one.search_query or "").strip():
                term, is_clicked = (one.search_query or "").strip().lower(), False
                searched[term] += 1
            elif one.event_name in ("click", "view_product") and term and not is_clicked:
                is_clicked = True
                clicked[term] += 1
            elif one.event_name == "purchase" and term and one.order and one.order.value:
                orders[term] += 1
                revenue[term] += one.order.value  # type: ignore[assignment]
    found = rows(
        stack, "select term, sum(searches), sum(clicked), sum(orders), sum(revenue) from agg_daily_search group by 1"
    )
    assert {row[0]: row[1:] for row in found} == {
        term: (searched[term], clicked[term], orders[term], revenue[term]) for term in ("mouse", "board")
    }
    assert min(*clicked.values(), *orders.values()) > 10
    grain = "local_date, term, channel, device_type, country, currency, is_bot"
    assert rows(stack, f"select 1 from agg_daily_search group by {grain} having count(*) > 1") == []
    assert rows(stack, "select sum(sessions) from agg_daily_search") == rows(
        stack,
        "select count(distinct (session_key, search_term(search_query))) from fact_events "
        "where event_name = 'search' and search_term(search_query) is not null",
    )


def test_the_longest_texts_that_a_visitor_can_send_stop_no_table(stack: Stack) -> None:
    # Random letters of four bytes, which do not compress below what an index row holds.
    rng = random.Random(4)

    def text(length: int) -> str:
        return "".join(chr(rng.randrange(0x1F300, 0x1F64F)) for _ in range(length))

    rtl = "\u202eעכבר\u200f\u2067"
    for number in range(3):
        product = Product(id=text(256), name=text(512), category=text(512), brand=text(512), url_path="/" + text(4000))
        more = {"device": Device(type=text(512)), "product": product}
        path = "/" + text(4096 - len("https://shop.example/"))
        visitor = text(256)
        tell(
            stack,
            event("1 10:00", "page_view", visitor, path, **more),
            event("1 10:01", "search", visitor, search_query=rtl + text(2048 - len(rtl)), **more),
            event("1 10:02", "view_product", visitor, path, **more),
            event(
                "1 10:03",
                "purchase",
                visitor,
                path,
                order=Order(
                    id=text(256), items=[OrderItem(product_id=text(256), category=text(512), price=Decimal(1))]
                ),
            ),
        )
        tables = ("agg_daily_pages", "agg_daily_search", "fact_visitor_days", "fact_visitor_funnels")
        counts = [rows(stack, f"select count(*) from {table}")[0][0] for table in tables]
        assert counts == [number + 1] * 4
    found = rows(stack, "select length(page_path), views, entries, exits from agg_daily_pages")
    assert found == [(4096 - len("https://shop.example"), 2, 1, 1)] * 3
    assert {length for (length,) in rows(stack, "select length(term) from agg_daily_search")} == {200}
    assert {tuple(map(len, steps)) for (steps,) in rows(stack, "select steps from agg_daily_paths")} == {
        (100, 6, 12, 8, 4),
        (100, 6, 12, 8),
    }
    assert rows(stack, "select count(*) from agg_daily_category_funnel where step = 1") == [(6,)]
