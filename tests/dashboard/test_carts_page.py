"""The page of carts against the events: each person's story is walked through, and counted by hand."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

from clickstream_dagster.cli.serving import reader_environment
from dashboard_site import Site, settled
from ingest_lambda.contract import Event, Order, Product
from pages import cart_boxes, cart_rows
from periods import Period
from queries import Warehouse, dsn
from support.carts import DAY, STEPS, Cart, carts
from view import View

VIEW = View("carts", Period(date(2026, 2, 20), date(2026, 3, 12)), date(2026, 2, 13))
VIEWS = [
    VIEW,
    replace(VIEW, bots=True, period=Period(date(2026, 3, 5), date(2026, 3, 5))),
    replace(VIEW, channel=("direct", "paid search"), device=("desktop",)),
    replace(VIEW, country=("US",), period=Period(date(2026, 2, 13), date(2026, 3, 20))),
]
#: The last hour ends at 15:00 of the 20th, so that the 19th may still change, and all of the 18th is over for a day.
LAST = date(2026, 3, 18)
EVENTS = """
    select
        v.person_id, e.event_id, e.event_name, e.event_timestamp, e.product_id,
        coalesce(e.product_discount_price, e.product_price), e.quantity, e.order_key, coalesce(e.currency, 'USD'),
        s.channel, coalesce(s.device_type, '(none)'), coalesce(s.country, '(none)'), s.is_bot
    from clickstream_events as e
    inner join dim_visitor as v on v.visitor_id = e.visitor_id
    inner join fact_sessions as s
        on s.visitor_id = e.visitor_id and e.event_timestamp between s.started_at and s.ended_at
    where e.event_name = any(%(names)s)
"""


@dataclass(frozen=True)
class Kept:
    """A cart as it is found by walking, with the session of its first add."""

    cart: Cart
    currency: str
    channel: str
    device: str
    country: str
    is_bot: bool

    @property
    def day(self) -> date:
        is_left = self.cart.left_at and not self.cart.emptied_at
        moment = self.cart.left_at if is_left and self.cart.left_at else self.cart.last_add_at
        return moment.astimezone(ZoneInfo("Europe/Berlin")).date()

    @property
    def is_abandoned(self) -> bool:
        return self.cart.left_at is not None and self.cart.emptied_at is None

    @property
    def is_recovered(self) -> bool:
        left, bought = self.cart.left_at, self.cart.bought_at
        return left is not None and bought is not None and bought - left <= 7 * DAY

    def is_in(self, view: View) -> bool:
        chosen = (view.channel, self.channel), (view.device, self.device), (view.country, self.country)
        is_chosen = all(not values or value in values for values, value in chosen)
        return (
            is_chosen and view.period.start <= self.day <= min(view.period.end, LAST) and (view.bots or not self.is_bot)
        )


@pytest.fixture(scope="module")
def kept(site: Site) -> list[Kept]:
    """Every cart of the shop."""
    people: dict[str, list[Event]] = defaultdict(list)
    sessions: dict[tuple[str, datetime], Any] = {}
    for person, id, name, at, product, price, quantity, order, *session in site.rows(EVENTS, names=list(STEPS)):
        people[person].append(
            Event(
                id,
                name,
                at,
                at,
                product=Product(id=product, price=price) if "cart" in name and product else None,
                quantity=quantity,
                order=Order(id=order) if name == "purchase" else None,
            )
        )
        if name == "add_to_cart":
            sessions[person, at] = session
    found = []
    for person, events in people.items():
        for cart in carts(events):
            if not cart.bought_at and not cart.emptied_at:
                cart.leave()
            found.append(Kept(cart, *sessions[person, cart.started_at]))
    return found


def chosen(kept: list[Kept], view: View) -> list[Kept]:
    return [one for one in kept if one.is_in(view)]


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


def left_in(carts: list[Kept]) -> Decimal:
    """Dollars."""
    return sum((one.cart.left_value for one in carts if one.currency == "USD"), Decimal(0))


@pytest.mark.parametrize("view", VIEWS)
def test_the_boxes_are_those_of_the_events(site: Site, kept: list[Kept], view: View) -> None:
    own = chosen(kept, view)
    abandoned = [one for one in own if one.is_abandoned]
    bought = [one for one in own if one.cart.bought_at and not one.is_abandoned]
    back = [one for one in abandoned if one.is_recovered]
    assert len(abandoned) > 5
    _, boxes = ask(site, cart_boxes.boxes, view)
    value = {box.id: box.value for box in boxes}
    assert value["abandoned_value"] == left_in(abandoned)
    assert value["abandoned_rate"] == pytest.approx(len(abandoned) / (len(abandoned) + len(bought)))
    paid = site.rows("select order_id, revenue from fact_orders where currency = 'USD'")
    assert value["recovered_revenue"] == sum(dict(paid).get(one.cart.order, 0) for one in back)
    times = [one.cart.bought_at - one.cart.left_at for one in back if one.cart.bought_at and one.cart.left_at]
    assert value["median"] == (pytest.approx(median(times).total_seconds()) if times else None)


@pytest.mark.parametrize("view", VIEWS)
def test_days_steps_and_segments_add_up_to_the_carts(site: Site, kept: list[Kept], view: View) -> None:
    own = chosen(kept, view)
    abandoned = [one for one in own if one.is_abandoned]
    days = ask(site, cart_rows.daily, view)
    assert list(days["at"])[-1] == min(view.period.end, LAST)
    for row in days.itertuples():
        of_day = [one for one in abandoned if one.day == row.at]
        assert (row.abandoned, row.abandoned_value) == (len(of_day), left_in(of_day))
        assert row.recovered == sum(one.is_recovered for one in of_day)
    assert days["carts"].sum() == len(own)
    assert (days["bought"] + days["emptied"] + days["abandoned"] == days["carts"]).all()
    steps = ask(site, cart_rows.steps, view).set_index("step")["abandoned"]
    found = {step: sum(one.cart.left_step == step for one in abandoned) for step in cart_rows.STEPS}
    assert {step: n for step, n in steps.items() if n} == {step: n for step, n in found.items() if n}
    groups = ask(site, cart_rows.groups, view, "device_type")
    assert dict(zip(groups["value"], groups["abandoned"], strict=True)) == {
        device: sum(one.device == device for one in abandoned) for device in groups["value"]
    }
    assert groups["abandoned"].sum() == len(abandoned)
    returns = ask(site, cart_rows.returns, view)
    assert returns["carts"].sum() == sum(one.is_recovered for one in abandoned)


@pytest.mark.parametrize("view", VIEWS)
def test_products_left_behind_are_those_in_the_carts(site: Site, kept: list[Kept], view: View) -> None:
    frame = ask(site, cart_rows.products, view, "value")
    lines = [
        (name, value)
        for one in chosen(kept, view)
        if one.is_abandoned and one.currency == "USD"
        for name, value in one.cart.left_lines.items()
    ]
    own = frame[frame["currency"] == "USD"]
    assert list(own["abandoned_value"]) == sorted(own["abandoned_value"], reverse=True)
    assert {row.product_id: (row.abandoned_value, row.abandoned) for row in own.itertuples()} == {
        name: (sum(value for other, value in lines if other == name), sum(other == name for other, _ in lines))
        for name in {name for name, _ in lines}
    }
    assert (own["abandoned"] <= own["carts"]).all()


def test_what_lies_in_carts_now_is_neither_bought_nor_abandoned(site: Site, kept: list[Kept]) -> None:
    [(as_of,)] = site.rows("select max(as_of) from carts")
    waiting = ask(site, cart_rows.open_carts, VIEW)
    for state in ("open", "idle"):
        assert waiting[state][0] == sum(
            as_of - one.cart.left_at < DAY
            and (as_of - one.cart.last_event_at <= timedelta(minutes=30)) == (state == "open")
            for one in kept
            if one.cart.left_at and not one.cart.bought_at and not one.cart.emptied_at and not one.is_bot
        )
    assert sum(n for n, _ in waiting.values()) > 0


def test_days_that_are_not_settled_are_left_out_and_compared_with_as_many(site: Site) -> None:
    span = ask(site, cart_rows.span, replace(VIEW, period=Period(date(2026, 3, 14), date(2026, 3, 20))))
    assert span.now == Period(date(2026, 3, 14), LAST)
    assert span.before == Period(date(2026, 3, 7), date(2026, 3, 11))
    assert not span.is_final
    today = replace(VIEW, period=Period(date(2026, 3, 20), date(2026, 3, 20)))
    head, boxes = ask(site, cart_boxes.boxes, today)
    assert head == "No day of 20 Mar 2026 is settled yet"
    assert {box.value for box in boxes if box.id != "waiting"} == {None}
    assert ask(site, cart_rows.daily, today).empty
    assert ask(site, cart_rows.steps, today).empty


def test_the_page_shows_what_was_left_behind(site: Site, page: Page, kept: list[Kept]) -> None:
    page.goto(f"{site.url}?page=carts&from=2026-02-20&to=2026-03-12&device=mobile")
    settled(page)
    abandoned = [one for one in chosen(kept, replace(VIEW, device=("mobile",))) if one.is_abandoned]
    box = page.locator("[id='carts_totals-abandoned_value'] .value-box-value span[title]").first
    expect(box).to_have_attribute("title", f"{left_in(abandoned):,}")
    page.locator("[id='carts_products-face']").get_by_text("Table").click()
    settled(page)
    first = ask(site, cart_rows.products, replace(VIEW, device=("mobile",)), "value").iloc[0]
    table = controller.OutputDataFrame(page, "carts_products-table")
    table.expect_cell(first["name"], row=0, col=0)
    table.expect_cell(f"{first['abandoned_value']:,.2f}", row=0, col=2)
