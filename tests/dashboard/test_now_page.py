"""Now against the events themselves: the last half hour that is loaded, how old it is, and that it follows a tick by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from obstore.store import MemoryStore
from playwright.sync_api import Page, expect

from clickstream_dagster.open_hour import load_open_hour
from clickstream_dagster.partitions import floor_hour
from clickstream_dagster.stack import Stack
from dashboard_site import Site, serving, settled
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order, Product
from pages import now, now_rows, reliability
from periods import Period
from test_reliability_page import ask
from view import View

VIEW = View("now", Period(date(2026, 3, 19), date(2026, 3, 19)), date(2026, 2, 13))
PAGE_EVENTS = ("page_view", "view_product")


def sessions_of_bots(site: Site) -> set[tuple[str, datetime]]:
    """(visitor, time) of each event of a session that has a bot's event, cut here on its own."""
    rows = site.rows(
        "select visitor_id, event_timestamp, is_automated or coalesce(kind in ('bot', 'program'), false) "
        "from clickstream_events left join dim_user_agent using (agent_key) order by 1, 2"
    )
    found: set[tuple[str, datetime]] = set()
    session: list[tuple[str, datetime, bool]] = []
    for row in [*rows, ("", datetime.max.replace(tzinfo=UTC), False)]:
        if session and (row[0] != session[-1][0] or row[1] - session[-1][1] > timedelta(minutes=30)):
            found |= {(visitor, at) for visitor, at, _ in session} if any(bot for _, _, bot in session) else set()
            session = []
        session.append(row)
    return found


def events(site: Site, start: datetime, end: datetime) -> list[tuple[Any, ...]]:
    bots = sessions_of_bots(site)
    rows = site.rows(
        "select visitor_id, event_timestamp, event_name, page_path, product_id, order_key from clickstream_events "
        "where event_timestamp between %(start)s and %(end)s",
        start=start,
        end=end,
    )
    return [row for row in rows if (row[0], row[1]) not in bots]


def test_the_numbers_are_those_of_the_events_of_the_half_hour(site: Site) -> None:
    shown = ask(site, now_rows.window)
    until = datetime(2026, 3, 20, 14, tzinfo=UTC)  # what is loaded ends there
    assert (shown.until, shown.is_now, shown.start) == (until, True, until - timedelta(minutes=30))
    seen = events(site, shown.start, shown.end)
    names = Counter(row[2] for row in seen)
    assert names["page_view"] > 5
    _, boxes = ask(site, now._boxes, VIEW)
    value = {box.id: box.value for box in boxes}
    assert value["visitors"] == len({row[0] for row in seen})
    assert value["views"] == names["page_view"] + names["view_product"]
    assert value["carts"] == names["add_to_cart"]
    first = dict(
        site.rows(
            "select order_key, min(event_timestamp) from clickstream_events where event_name = 'purchase' group by 1"
        )
    )
    bought = {row[5] for row in seen if row[2] == "purchase" and first[row[5]] >= shown.start}
    assert value["orders"] == len(bought)
    [(revenue,)] = site.rows(
        "select coalesce(sum(revenue), 0) from fact_orders where order_id = any(%(ids)s) and currency = 'USD'",
        ids=list(bought),
    )
    assert value["revenue"] == revenue

    minutes = ask(site, now_rows.by_minute)
    assert (len(minutes), minutes["when"].iloc[0], minutes["when"].iloc[-1]) == (30, "14:30", "14:59")  # Berlin's clock
    by_minute = Counter(row[1].replace(second=0, microsecond=0) for row in seen if row[2] in PAGE_EVENTS)
    assert list(minutes["views"]) == [by_minute[shown.start + timedelta(minutes=place)] for place in range(30)]
    assert (minutes["carts"].sum(), minutes["orders"].sum()) == (value["carts"], value["orders"])
    assert minutes["revenue"].sum() == revenue


def test_the_pages_products_and_sources_are_those_of_its_visitors(site: Site) -> None:
    shown = ask(site, now_rows.window)
    seen = events(site, shown.start, shown.end)
    paths = Counter(row[3] for row in seen if row[2] in PAGE_EVENTS and row[3])
    pages = ask(site, now_rows.pages, VIEW)
    assert dict(zip(pages["page_path"], pages["views"], strict=True)) == dict(paths)
    viewed = Counter(row[4] for row in seen if row[2] == "view_product" and row[4])
    products = ask(site, now_rows.products, VIEW)
    assert dict(zip(products["product_id"], products["views"], strict=True)) == {
        name: viewed[name] for name in products["product_id"]
    }
    assert products["views"].sum() == viewed.total()
    sources = ask(site, now_rows.sources, VIEW)
    assert sources["visitors"].sum() == len({row[0] for row in seen})


class Shop:
    """A shop whose hour in progress is loaded when the test says so."""

    def __init__(self, stack: Stack, moment: datetime) -> None:
        self.stack, self.moment, self.store = stack, moment, MemoryStore()

    def send(self, *names: str, ago: float = 0, visitor: str = "ann") -> None:
        at = self.moment - timedelta(seconds=ago)
        product = Product(id="p1", name="Laptop", price=10)  # type: ignore[arg-type]
        made = [
            Event(
                uuid4(),
                name,
                at,
                at,
                client_id=visitor,
                page_url=f"https://shop.example/{name}",
                product=product if name == "view_product" else None,
                order=Order(id="o1", value=20) if name == "purchase" else None,  # type: ignore[arg-type]
            )
            for name in names
        ]
        self.store.put(landing.event_key(floor_hour(at), uuid4()), b"\n".join(map(contract.encode, made)))

    def load(self, hour: datetime | None = None) -> None:
        self.stack.__dict__["store"] = self.store
        with self.stack.warehouse() as connection:
            load_open_hour(connection, self.stack, hour or floor_hour(self.moment))


@pytest.fixture
def live(make_stack: Callable[..., Stack]) -> Iterator[tuple[Shop, Site]]:
    shop = Shop(make_stack(), datetime.now(UTC))
    long_ago = floor_hour(shop.moment - timedelta(days=3))
    last = long_ago + timedelta(minutes=59)
    shop.send("page_view", ago=(shop.moment - last).total_seconds(), visitor="before")
    shop.load(long_ago)
    with serving(shop.stack) as site:
        yield shop, site


def number(page: Page, box: str) -> Any:
    return page.locator(f"[id='now_state-{box}'] .value-box-value")


def test_it_says_how_old_it_is_and_follows_each_tick_by_itself(live: tuple[Shop, Site], page: Page) -> None:
    shop, site = live
    page.goto(f"{site.url}?page=now")
    settled(page)
    head = page.locator("[id='now_state-row'] .row-head")
    expect(head).to_contain_text("Not now: what is loaded ends")
    expect(number(page, "visitors")).to_have_text("1")
    shop.load()  # nothing has come since
    expect(head).to_have_text(
        re.compile(r"Not now: the latest event is\s+[23]\.\d d\s+old\. Shown: the 30 minutes up to then, "),
        timeout=30_000,
    )
    expect(number(page, "visitors")).to_have_text("1")

    shop.send("page_view", "view_product", "add_to_cart", ago=1)
    shop.send("page_view", ago=2, visitor="bob")
    shop.send("page_view", ago=3_000, visitor="gone")
    shop.load()
    expect(head).to_contain_text("Events up to", timeout=30_000)
    expect(number(page, "visitors")).to_have_text("2")
    expect(number(page, "views")).to_have_text("3")
    expect(head).to_have_text(re.compile(r"loaded\s+[1-8]?\d s\s+ago"))

    age = head.locator("time").inner_text()
    expect(head.locator("time")).not_to_have_text(age, timeout=15_000)  # it grows while nothing else happens
    shop.send("purchase", ago=0)
    shop.load()
    expect(number(page, "orders")).to_have_text("1", timeout=30_000)
    expect(number(page, "revenue")).to_have_text("20.00 USD")
    assert "; in progress: to " in ask(site, reliability._freshness).note  # no hour is whole by it
    page.locator("[id='now_pages-face']").get_by_text("Table").click()
    expect(page.locator("[id='now_pages-table']")).to_contain_text("/view_product")
    page.goto("about:blank")
