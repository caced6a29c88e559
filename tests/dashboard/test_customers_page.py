"""Customers against the orders and the people of their browsers, one by one."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

from clickstream_dagster.cli.serving import reader_environment
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from dashboard_site import Site, settled
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order
from pages import customer_rows, customers
from periods import Period
from queries import Warehouse, dsn
from view import View

FIRST, LAST, DAY = date(2026, 2, 13), date(2026, 3, 20), timedelta(days=1)
VIEW = View("customers", Period(date(2026, 3, 6), date(2026, 3, 19)), FIRST, LAST)
VIEWS = [
    VIEW,
    replace(VIEW, channel=("direct", "email"), device=("mobile",)),
    replace(VIEW, period=Period(date(2026, 3, 19), date(2026, 3, 19)), bots=True),
    replace(VIEW, period=Period(FIRST, LAST), country=("US",)),
]
#: Each order with its person, and how that person first came.
ORDERS = """
    with firsts as (
        select distinct on (person_id) person_id, channel, coalesce(device_type, '(none)') as device_type,
            coalesce(country, '(none)') as country
        from fact_person_sessions order by person_id, started_at, visitor_id
    )
    select (v.person_id, o.is_bot)::text, o.local_date, o.revenue, o.refunded, o.currency, f.channel, min(o.local_date)
        over (partition by v.person_id, o.is_bot)
    from fact_orders as o inner join dim_visitor as v using (visitor_id) inner join firsts as f using (person_id)
    where (%(bots)s or not o.is_bot)
        and (%(channels)s::text[] is null or f.channel = any(%(channels)s))
        and (%(devices)s::text[] is null or f.device_type = any(%(devices)s))
        and (%(countries)s::text[] is null or f.country = any(%(countries)s))
"""


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


def boxes(site: Site, view: View) -> dict[str, Any]:
    _, found = ask(site, customers._boxes, view)
    return {box.id: box for box in found}


@pytest.mark.parametrize("view", VIEWS)
def test_buyers_are_distinct_people_and_new_ones_never_bought_before(site: Site, view: View) -> None:
    orders = site.rows(ORDERS, **view.parameters())
    inside = [row for row in orders if view.period.start <= row[1] <= view.period.end]
    who = {person: first for person, *_, first in inside}
    found = boxes(site, view)
    assert found["buyers"].value == len(who) > 0
    assert found["new"].value == sum(first >= view.period.start for first in who.values())
    assert found["returning"].value == len(who) - found["new"].value
    money = [(revenue, on > first) for _, on, revenue, _, currency, _, first in inside if currency == "USD"]
    again = sum(revenue for revenue, is_returning in money if is_returning)
    assert found["returning_share"].value == pytest.approx(float(again / sum(revenue for revenue, _ in money)))
    days = ask(site, customer_rows.orders, view)
    assert (days["new_orders"].sum(), days["returning_orders"].sum()) == (
        sum(on == first for _, on, *_, first in inside),
        sum(on > first for _, on, *_, first in inside),
    )


@pytest.mark.parametrize("view", VIEWS)
def test_repeat_rate_and_value_are_of_customers_whose_days_are_over(site: Site, view: View) -> None:
    end = min(view.period.end, LAST)
    whole = {row[0] for row in site.rows(ORDERS, **view.parameters()) if row[-1] + 30 * DAY <= end}
    returned, value, channel = set(), defaultdict(int), {}
    currencies = dict(site.rows("select (person_id, is_bot)::text, currency from fact_customers"))
    for person, on, revenue, refunded, currency, came_by, first in site.rows(ORDERS, **view.parameters()):
        if person in whole and on <= first + 30 * DAY:
            returned |= {person} if on > first else set()
            value[person] += revenue - refunded if currency == currencies[person] else 0
            channel[person] = came_by
    valued = {person for person in whole if currencies[person] == "USD"}
    found = boxes(site, view.with_option("customers-window", "30"))
    if not whole:
        assert (found["rate"].value, found["rate"].note) == (None, "no new customer is 30 days old yet")
        return
    assert found["rate"].value == pytest.approx(len(returned) / len(whole))
    worth = float(sum(value[person] for person in valued)) / len(valued) if valued else None
    assert found["worth"].value == (None if worth is None else pytest.approx(worth))
    assert found["rate"].note.startswith(f"of {len(whole)} new customers")
    frame = ask(site, customers._worth, view.with_option("customers-window", "30"))
    for row in frame.itertuples():
        people = {person for person in valued if channel[person] == row.value}
        if people:
            assert row.average == pytest.approx(float(sum(value[person] for person in people)) / len(people))
        assert row.note == ("few" if row.customers < 30 else "")
    assert frame["customers"].sum() == len(whole)


def test_half_of_those_who_came_back_had_done_so_by_the_median(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack()
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    waits = {"once": (), "soon": (2,), "again": (3, 9), "late": (10,), "after the period": (30,)}
    orders = [(name, noon + days * DAY) for name, later in waits.items() for days in (0, *later)]
    for number, (name, at) in enumerate(orders):
        bought = Event(
            event_id=UUID(int=number),
            event_name="purchase",
            event_timestamp=at,
            received_at=at,
            client_id=name,
            order=Order(id=f"o-{number}", value=Decimal(10)),
        )
        stack.store.put(landing.event_key(at, UUID(int=number)), contract.encode(bought))
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, noon, noon + 31 * DAY)
        rebuild_all(connection)
    view = View("customers", Period(date(2026, 3, 10), date(2026, 3, 20)), date(2026, 3, 1), LAST)
    warehouse = Warehouse(dsn(reader_environment(stack)))
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(lambda: asyncio.run(customer_rows.time_to_second(warehouse, view))).result()
    assert found == (3, 3)


def test_a_window_that_is_not_over_has_no_number(site: Site) -> None:
    found = boxes(site, VIEW)
    assert (found["rate"].value, found["worth"].value) == (None, None)
    assert found["worth"].note == "no new customer is 90 days old yet"
    curve = ask(site, customer_rows.second_purchases, VIEW)
    assert list(curve["days"]) == [7, 14, 30]
    firsts = [first for (first,) in site.rows("select local_date from fact_customers where not is_bot")]
    known = [sum(first + days * DAY <= VIEW.period.end for first in firsts) for days in (7, 14, 30)]
    assert list(curve["customers"]) == known
    month = boxes(site, VIEW.with_option("customers-window", "30"))["rate"]
    assert curve["rate"].iloc[-1] == pytest.approx(month.value)
    assert ask(site, customer_rows.months, VIEW).empty


def test_a_month_is_shown_when_its_last_day_s_window_is_over(site: Site) -> None:
    """As if the data went on: nothing more was bought."""
    later = replace(VIEW, period=Period(FIRST, date(2026, 5, 1)), complete=date(2026, 5, 1))
    frame = ask(site, customer_rows.months, later)
    assert list(frame["month"]) == [date(2026, 2, 1), date(2026, 3, 1)]
    totals = site.rows(
        """
        select count(*), count(*) filter (where days_to_second <= 30)
        from fact_customers where not is_bot group by date_trunc('month', local_date) order by min(local_date)
        """
    )
    assert list(frame["customers"]) == [row[0] for row in totals]
    assert list(frame["rate_30"]) == pytest.approx([row[1] / row[0] for row in totals])
    assert frame["rate_90"].isna().all()
    assert customers._draw_months(frame, later).data


def test_groups_have_every_buyer_once(site: Site) -> None:
    for view in (VIEW, VIEWS[1]):
        frame = ask(site, customer_rows.groups, view)
        people = {row[0] for row in site.rows(ORDERS, **view.parameters())}
        assert frame["customers"].sum() == len(people)
        assert frame["share"].sum() == pytest.approx(1)
        assert list(frame["name"]) == [name for name in customer_rows.GROUPS if name in set(frame["name"])]


def test_segments_are_counted_as_they_are_members(site: Site) -> None:
    members = site.rows(
        """
        select segment, count(*), count(o.person_id) from segment_members
        left join (select distinct person_id from fact_customers where not is_bot) as o using (person_id) group by 1
        """
    )
    counts = {name: (people, buyers) for name, people, buyers in members}
    frame = ask(site, customer_rows.segments, VIEW)
    assert list(frame["segment"]) == ["best-customers", "lapsed-regulars", "window-shoppers"]
    found = {row.segment: (row.people, row.buyers) for row in frame.itertuples() if row.people}
    assert found == counts != {}
    part = ask(site, customer_rows.segments, VIEWS[1])
    assert (part["people"] <= frame["people"]).all()
    assert part["people"].sum() < frame["people"].sum()


def test_the_page_shows_them_and_keeps_its_options_in_the_url(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=customers&customers-window=30&from=2026-03-06&to=2026-03-19")
    settled(page)
    box = page.locator("[id='customers_period-buyers'] .value-box-value span[title]").first
    expect(box).to_have_attribute("title", f"{boxes(site, VIEW)['buyers'].value:,}")
    expect(page.locator("#customers_period-part")).to_contain_text("Worth in 30 days")
    page.locator("[id='customers_groups-face'] a[data-value=table]").click()
    frame = ask(site, customer_rows.groups, VIEW)
    table = controller.OutputDataFrame(page, "customers_groups-table")
    table.expect_cell(frame["name"][0], row=0, col=0)
    table.expect_cell(f"{frame['customers'][0]:,}", row=0, col=1)
    page.locator("[id='customers_channels-customers_window-select']").select_option("365")
    page.wait_for_url("**customers-window=365*")
    settled(page)
    expect(page.locator("#customers_channels-part")).to_contain_text("No new customer is that old yet")
