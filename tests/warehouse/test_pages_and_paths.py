"""Landing and exit pages, the ways through the shop, and the funnel within a category."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import groupby
from typing import Any

import pytest

from clickstream_dagster.stack import Stack
from ingest_lambda.contract import Device, Event, Geo, Order, OrderItem, Product
from support.stories import DAY, GOOGLEBOT, Visit, event, five_weeks, rows, tell, visits

PATHS = ("/", "/cart", "/cart/", "/category/mice", "/category/mice/wired", "//search", None)
ACTIONS = ("search", "view_product", "add_to_cart", "checkout", "purchase")
NODES = ("page_view", *ACTIONS)


@pytest.fixture
def lived(stack: Stack) -> tuple[Stack, list[Event]]:
    """A random history on a few pages."""
    names = (*["page_view"] * 5, "search", "view_product", "add_to_cart", "purchase", "scroll")
    events = five_weeks(2, names)
    for number, one in enumerate(events):
        path = PATHS[number * 7919 % len(PATHS)]
        one.page_url = f"https://shop.example{path}" if path else None
    tell(stack, *events)
    return stack, events


def test_a_page_counts_its_views_and_the_sessions_that_begin_and_end_on_it(stack: Stack) -> None:
    tell(
        stack,
        # Ann comes in on the home page, and leaves after buying; Bob bounces; a session without a path is on no page.
        event("1 10:00", "page_view", "ann", "/", device=Device(type="mobile"), geo=Geo(country="VN")),
        event("1 10:01", "view_product", "ann", "/p/1"),
        event("1 10:02", "add_to_cart", "ann", "/p/1"),
        event("1 10:03", "page_view", "ann", "/"),
        event("1 10:04", "purchase", "ann", "/thanks"),
        event("1 11:00", "page_view", "bob", "/"),
        event("1 12:00", "page_view", "cleo"),
        event("1 13:00", "page_view", "bot", "/", user_agent=GOOGLEBOT),
    )
    pages = "select page_path, is_bot, views, entries, exits, entry_bounces, entry_purchases from agg_daily_pages"
    assert rows(stack, f"{pages} order by 1, 2") == [
        ("/", False, 3, 2, 1, 1, 1),
        ("/", True, 1, 1, 1, 1, 0),
        ("/p/1", False, 1, 0, 0, 0, 0),
        ("/thanks", False, 0, 0, 1, 0, 0),
    ]
    segments = "select channel, device_type, country, views, entries, exits, entry_bounces, entry_purchases"
    assert rows(stack, f"{segments} from agg_daily_page_segments where page_path = '/' and not is_bot order by 2") == [
        ("direct", "(none)", "(none)", 1, 1, 1, 1, 0),
        ("direct", "mobile", "VN", 2, 1, 0, 0, 1),
    ]


def test_pages_add_up(lived: tuple[Stack, list[Event]]) -> None:
    stack, events = lived
    sums = "sum(views), sum(entries), sum(exits), sum(entry_bounces), sum(entry_purchases)"
    for table in ("agg_daily_pages", "agg_daily_page_segments"):
        assert rows(stack, f"select is_bot, {sums} from {table} group by 1 order by 1") == rows(
            stack,
            """
            select
                is_bot,
                (
                    select count(*) from fact_events
                    where fact_events.is_bot = fact_sessions.is_bot and page_path is not null
                        and event_name in ('page_view', 'view_product')
                ),
                count(*), count(*), count(*) filter (where is_bounce), count(*) filter (where purchase_count > 0)
            from fact_sessions where entry_path is not null group by 1 order by 1
            """,
        )
        assert rows(stack, f"select count(*) from {table} group by {grain(table)} having count(*) > 1") == []
    seen = Counter(one.page_url for one in events if one.event_name in ("page_view", "view_product") and one.page_url)
    found = rows(stack, "select page_path, sum(views) from agg_daily_pages group by 1")
    assert {f"https://shop.example{path}": number for path, number in found if number} == seen


def grain(table: str) -> str:
    segments = "channel, device_type, country, is_bot"
    return {
        "agg_daily_pages": "local_date, page_path, is_bot",
        "agg_daily_page_segments": f"local_date, page_path, {segments}",
        "agg_daily_paths": f"local_date, anchor, steps, {segments}",
        "agg_daily_category_funnel": f"local_date, product_category, step, {segments}",
    }[table]


def paths(stack: Stack, anchor: str) -> list[tuple[Any, ...]]:
    return rows(
        stack,
        "select steps, sessions, sessions_with_purchase from agg_daily_paths where anchor = %s order by 2 desc, 1",
        anchor,
    )


def test_a_short_way_ends_with_the_exit_on_both_ends(stack: Stack) -> None:
    tell(
        stack,
        *(event("1 10:00", "page_view", who, "/") for who in ("ann", "bob")),
        *(event("1 10:01", "page_view", who, f"/category/{who}") for who in ("ann", "bob")),
        *(event("1 10:02", "page_view", who, "/category/all/") for who in ("ann", "bob")),  # the same node again
        *(event("1 10:03", "scroll", who, "/elsewhere") for who in ("ann", "bob")),  # no node
        event("1 10:04", "view_product", "bob", "/p/1"),
        event("1 10:05", "page_view", "bob"),  # a page without a path is no node
        event("1 10:06", "page_view", "bob", "/cart/"),
        event("1 12:00", "login", "cleo", "/"),  # a session without a node has no way
    )
    expected = [
        (["/", "/category/*", "exit"], 1, 0),
        (["/", "/category/*", "view_product", "/cart", "exit"], 1, 0),
    ]
    assert paths(stack, "start") == paths(stack, "end") == expected


def test_a_long_way_is_cut_to_six_steps_and_ends_with_the_first_purchase(stack: Stack) -> None:
    way = ["/", "search", "/category/*", "view_product", "add_to_cart", "/cart", "checkout", "purchase", "/thanks"]
    events = [
        event(f"1 10:0{minute}", "page_view", "ann", node.replace("*", "mice"))
        if node.startswith("/")
        else event(f"1 10:0{minute}", node, "ann")
        for minute, node in enumerate([*way, "view_product", "purchase"][:10])
    ]
    tell(stack, *events, *(event(f"2 09:0{n}", "page_view", "bob", f"/page{n}") for n in range(6)))
    assert paths(stack, "start") == [
        (["/", "search", "/category/*", "view_product", "add_to_cart", "/cart"], 1, 1),
        ([f"/page{n}" for n in range(6)], 1, 0),
    ]
    assert paths(stack, "end") == [
        (["/category/*", "view_product", "add_to_cart", "/cart", "checkout", "purchase"], 1, 1),
        ([*(f"/page{n}" for n in range(1, 6)), "exit"], 1, 0),
    ]


def test_what_happens_at_one_time_has_an_order(stack: Stack) -> None:
    happened = ["purchase", "checkout", "add_to_cart", "view_product", "search"]
    tell(stack, *(event("1 10:00", name) for name in happened), event("1 10:00", "page_view", path="/p"))
    assert paths(stack, "start") == [(["/p", *reversed(happened)], 1, 1)]


def test_the_page_on_which_a_step_happens_is_no_step_of_its_own(stack: Stack) -> None:
    tell(
        stack,
        event("1 10:00", "page_view", path="/p/mouse"),
        event("1 10:01", "page_view", path="/search"),
        event("1 10:02", "search", path="/search/"),
        event("1 10:03", "page_view", path="/p/mouse"),
        event("1 10:04", "add_to_cart"),  # on no known page
        event("1 10:05", "page_view", path="/cart"),
        event("1 10:06", "page_view", path="/cart"),
        event("1 10:07", "checkout", path="/checkout"),
    )
    assert paths(stack, "start") == [(["/p/*", "search", "/p/*", "add_to_cart", "/cart", "checkout"], 1, 0)]


def node(one: Event) -> str | None:
    if one.event_name != "page_view":
        return one.event_name if one.event_name in ACTIONS else None
    if one.page_url is None:
        return None
    first, *more = one.page_url.removeprefix("https://shop.example").strip("/").split("/")
    return f"/{first}/*" if more else f"/{first}"


def ways(visit: Visit) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The first and the last six steps of a visit."""
    ordered = sorted((one for one in visit.events if node(one)), key=lambda one: (one.event_timestamp, _place(one)))
    following: list[Event | None] = [*ordered[1:], None]
    steps = [one for one, then in zip(ordered, following, strict=False) if not is_page_of(one, then)]
    nodes = [name for name, _ in groupby(map(node, steps)) if name]
    if not nodes:
        return None
    ending = nodes[: nodes.index("purchase") + 1] if "purchase" in nodes else [*nodes, "exit"]
    return tuple([*nodes, "exit"][:6]), tuple(ending[-6:])


def is_page_of(one: Event, then: Event | None) -> bool:
    """Whether the next step happens on the page that this one views."""
    return (
        one.event_name == "page_view"
        and then is not None
        and then.event_name != "page_view"
        and then.page_url is not None
        and one.page_url is not None
        and one.page_url.rstrip("/") == then.page_url.rstrip("/")
    )


def _place(one: Event) -> tuple[int, int]:
    return NODES.index(one.event_name), one.event_id.int


def test_all_ways_are_what_the_events_say(lived: tuple[Stack, list[Event]]) -> None:
    stack, events = lived
    expected: Counter[tuple[str, tuple[str, ...], bool]] = Counter()
    for visit in visits(events):
        for anchor, steps in zip(("start", "end"), ways(visit) or (), strict=False):
            expected[anchor, steps, visit.is_bot] += 1
    found = rows(stack, "select anchor, steps, is_bot, sum(sessions) from agg_daily_paths group by 1, 2, 3")
    assert {(anchor, tuple(steps), is_bot): number for anchor, steps, is_bot, number in found} == expected
    totals = rows(stack, "select sum(sessions), sum(sessions_with_purchase) from agg_daily_paths group by anchor")
    bought = rows(stack, "select count(*) from fact_sessions where purchase_count > 0")
    with_nodes = sum(ways(visit) is not None for visit in visits(events))
    assert totals == [(with_nodes, bought[0][0])] * 2
    assert rows(stack, f"select 1 from agg_daily_paths group by {grain('agg_daily_paths')} having count(*) > 1") == []


def about(category: str | None) -> dict[str, object]:
    return {"product": Product(id="p", category=category)}


def test_the_funnel_of_a_category(stack: Stack) -> None:
    both = Order(id="o1", value=1, items=[OrderItem(category=name) for name in ("Mice", "Mice", "Boards")])  # type: ignore[arg-type]
    tell(
        stack,
        # Ann views both kinds and adds a mouse; the checkout names none; her order holds both.
        event("1 10:00", "view_product", "ann", **about("Mice")),
        event("1 10:01", "view_product", "ann", **about("Boards")),
        event("1 10:02", "add_to_cart", "ann", **about("Mice")),
        event("1 10:03", "checkout", "ann"),
        event("1 10:04", "purchase", "ann", order=both),
        # Bob views a board and adds a mouse that he never viewed. Cleo names no category at all.
        event("1 11:00", "view_product", "bob", **about("Boards")),
        event("1 11:01", "add_to_cart", "bob", **about("Mice")),
        event("1 12:00", "view_product", "cleo", **about(None)),
        # A search is no step, so its category is none.
        event("1 10:05", "search", "ann", **about("Chairs")),
    )
    found = rows(
        stack,
        "select product_category, array_agg(sessions::integer order by step) from agg_daily_category_funnel "
        "where not is_bot group by 1 order by 1",
    )
    assert found == [("Boards", [2, 0, 0, 0]), ("Mice", [1, 1, 1, 1])]


def test_a_category_that_comes_with_the_purchase_only_has_its_row(stack: Stack) -> None:
    tell(stack, event("1 10:00", "view_product"), event("1 10:01", "purchase", **about("Mice")))
    found = rows(stack, "select step, event_name, sessions from agg_daily_category_funnel order by 1")
    assert found == [(1, "view_product", 1), (2, "add_to_cart", 0), (3, "checkout", 0), (4, "purchase", 0)]


def test_made_up_categories_cost_no_more_than_a_hundred(stack: Stack) -> None:
    tell(
        stack,
        *(event(DAY + timedelta(seconds=n), "view_product", **about(f"{n:04}")) for n in range(300)),
        *(event(DAY + timedelta(seconds=300 + n), "add_to_cart") for n in range(300)),
    )
    [(categories, last, viewed, added)] = rows(
        stack,
        """
        select count(distinct product_category), max(product_category), sum(sessions) filter (where step = 1),
            sum(sessions) filter (where step = 2)
        from agg_daily_category_funnel
        """,
    )
    assert (categories, last, viewed, added) == (100, "0099", 100, 100)
