"""Products against the events and the orders' items: what was seen, wanted, bought and given back."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

import charts
from clickstream_dagster.cli.serving import reader_environment
from dashboard_site import Site, settled
from formats import is_missing
from pages import product_rows, products
from periods import Period
from queries import Warehouse, dsn
from view import View

FIRST = date(2026, 2, 13)
VIEW = View("products", Period(date(2026, 3, 6), date(2026, 3, 19)), FIRST)
VIEWS = [
    VIEW,
    replace(VIEW, bots=True, period=Period(date(2026, 3, 19), date(2026, 3, 19))),
    replace(VIEW, channel=("direct", "organic search"), device=("desktop", "tablet")),
    replace(VIEW, country=("US",), bots=True, period=Period(FIRST, date(2026, 3, 20))),
]
_CHOSEN = """(%(bots)s or not s.is_bot)
    and (%(channels)s::text[] is null or s.channel = any(%(channels)s))
    and (%(devices)s::text[] is null or coalesce(s.device_type, '(none)') = any(%(devices)s))
    and (%(countries)s::text[] is null or coalesce(s.country, '(none)') = any(%(countries)s))"""
EVENTS = f"""
    select s.session_key, e.product_id, e.event_name from fact_sessions as s
    inner join clickstream_events as e on e.visitor_id = s.visitor_id and e.event_timestamp between s.started_at and s.ended_at
    where s.local_date between %(start)s and %(end)s and {_CHOSEN}
        and e.product_id is not null and e.event_name in ('view_product', 'add_to_cart')
"""
ITEMS = f"""
    select i.product_id, o.currency, o.order_id, i.quantity, i.price * i.quantity, i.refunded from fact_orders as o
    inner join fact_sessions as s on s.session_key = o.session_key
    inner join fact_order_items as i on i.order_id = o.order_id
    where o.local_date between %(start)s and %(end)s and {_CHOSEN} and i.product_id is not null
"""


def told(site: Site, view: View) -> dict[str, Any]:
    """What a view has, counted one by one."""
    events = site.rows(EVENTS, **view.parameters())
    seen = {(session, product) for session, product, name in events if name == "view_product"}
    added = {(session, product) for session, product, name in events if name == "add_to_cart"}
    money: Counter[tuple[str, str]] = Counter()
    units: Counter[str] = Counter()
    orders = set()
    refunded = Decimal(0)
    for product, currency, order, quantity, revenue, back in site.rows(ITEMS, **view.parameters()):
        money[product, currency] += revenue or 0
        units[product] += quantity
        orders.add((order, product))
        refunded += back if currency == "USD" else 0
    return {
        "views": Counter(product for _, product, name in events if name == "view_product"),
        "viewed": Counter(product for _, product in seen),
        "added": Counter(product for _, product in added),
        "unviewed": len(added - seen),
        "money": {key: value for key, value in money.items() if value},
        "units": units,
        "orders": Counter(product for _, product in orders),
        "refunded": refunded,
    }


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


def usd(counts: dict[str, Any]) -> Any:
    return sum(value for (_, currency), value in counts["money"].items() if currency == "USD")


@pytest.mark.parametrize("view", VIEWS)
def test_products_and_totals_are_those_of_the_events_and_items(site: Site, view: View) -> None:
    counts = told(site, view)
    frame = ask(site, products._products, view)
    sums = frame.groupby("product_id")[["views", "viewed_sessions", "added_sessions", "orders", "units"]].sum()
    names = {
        "views": "views",
        "viewed_sessions": "viewed",
        "added_sessions": "added",
        "orders": "orders",
        "units": "units",
    }
    for column, name in names.items():
        assert {product: n for product, n in sums[column].items() if n} == {p: n for p, n in counts[name].items() if n}
    assert not frame["product_id"].duplicated().any()
    money = {(row.product_id, "USD"): row.revenue for row in frame.itertuples() if row.revenue}
    for product, others in zip(frame["product_id"], frame["others"], strict=True):
        for amount, currency in (each.split() for each in ("" if is_missing(others) else others).split(", ") if each):
            money[product, currency] = Decimal(amount.replace(",", ""))
    assert money == counts["money"]
    _, boxes = ask(site, products.period, view)
    value = {box.id: box.value for box in boxes}
    assert value["views"] == counts["views"].total()
    assert value["add_rate"] == pytest.approx(counts["added"].total() / counts["viewed"].total())
    assert value["units"] == counts["units"].total()
    assert value["revenue"] == usd(counts)
    if usd(counts):
        assert value["refunded_share"] == pytest.approx(float(counts["refunded"] / usd(counts)))
    notes = {box.id: box.note for box in boxes}
    assert notes["add_rate"].startswith(f"{counts['unviewed']} of {counts['added'].total()} ")


@pytest.mark.parametrize("by", ["category", "brand"])
def test_groups_add_up_and_conversion_is_orders_by_viewing_sessions(site: Site, by: str) -> None:
    counts = told(site, VIEW)
    groups = dict(site.rows(f"select product_id, product_{by} from dim_product"))
    frame = ask(site, product_rows.groups, VIEW, by)
    expected: Counter[tuple[str, str]] = Counter()
    for (product, currency), amount in counts["money"].items():
        expected[groups[product], currency] += amount
    assert {(row.value, row.currency): row.revenue for row in frame.itertuples() if row.revenue} == expected
    assert frame["views"].sum() == counts["views"].total()
    fields = ask(site, product_rows.fields, VIEW)
    rates = {row.product_id: row.conversion for row in fields.itertuples()}
    assert rates == pytest.approx({p: counts["orders"][p] / counts["viewed"][p] for p in rates})
    middle = median(rates.values())
    assert all(("high" in row.field) == (row.conversion > middle) for row in fields.itertuples())


@pytest.mark.parametrize("by", ["revenue", "views", "adds"])
@pytest.mark.parametrize("channel", [(), ("direct",)])
def test_movers_are_the_differences_of_two_periods(site: Site, by: str, channel: tuple[str, ...]) -> None:
    view = replace(VIEW, period=Period(date(2026, 3, 13), date(2026, 3, 19)), channel=channel)
    assert view.before
    now, before = told(site, view), told(site, replace(view, period=view.before))
    found = [
        {product: amount for (product, currency), amount in counts["money"].items() if currency == "USD"}
        if by == "revenue"
        else counts["added" if by == "adds" else "views"]
        for counts in (now, before)
    ]
    changes = {product: found[0].get(product, 0) - found[1].get(product, 0) for product in {*found[0], *found[1]}}
    frame = ask(site, product_rows.movers, view, by)
    assert list(frame[f"{by}_change"]) == [
        *sorted((change for change in changes.values() if change > 0), reverse=True)[:10],
        *sorted(sorted(change for change in changes.values() if change < 0)[:10], reverse=True),
    ]
    assert all(changes[row["product_id"]] == row[f"{by}_change"] for _, row in frame.iterrows())
    heaps = {"revenue": "orders", "views": "viewed_sessions", "adds": "adds"}[by]
    for row in frame.to_dict("records"):
        pairs = [(float(row[f"{by}{when}"]), row[f"{heaps}{when}"]) for when in ("", "_before")]
        if by == "adds" or not all(n for _, n in pairs):  # counts of things that happen each by itself
            one, other = (n for _, n in pairs)
            assert row["is_noise"] == (abs(one - other) - 1 <= 1.959964 * (one + other) ** 0.5)
        else:
            spread = sum(3.25 * amount**2 / n for amount, n in pairs) ** 0.5
            assert row["is_noise"] == (abs(row[f"{by}_change"]) <= 1.959964 * spread)
    assert ask(site, product_rows.movers, replace(view, compare="none"), by).empty


def test_bars_of_the_same_name_are_told_apart() -> None:
    told = charts.told_apart(["Lamp", "Lamp", "x" * 60 + "1", "x" * 60 + "2"])
    assert len(set(told)) == 4
    assert len(set(charts.told_apart(["X", "X", "X (2)"]))) == 3
    assert max(map(len, told)) <= 40


def test_the_page_shows_them_and_keeps_its_options_in_the_url(site: Site, page: Page) -> None:
    query = "?page=products&from=2026-03-06&to=2026-03-19&device=mobile&products-order=views&products-group=brand"
    view = replace(VIEW, device=("mobile",))
    counts = told(site, view)
    page.goto(site.url + query)
    settled(page)
    box = page.locator("[id='products_period-views'] .value-box-value span[title]").first
    expect(box).to_have_attribute("title", f"{counts['views'].total():,}")
    expect(page.locator("[id='products_products-products_order-select']")).to_have_value("views")
    frame = ask(site, product_rows.products, view, "views")
    table = controller.OutputDataFrame(page, "products_products-table")
    table.expect_cell(frame["name"].iloc[0], row=0, col=0)
    table.expect_cell(f"{frame['views'].iloc[0]:,}", row=0, col=2)
    page.locator("[id='products_groups-face'] a[data-value=table]").click()
    groups = controller.OutputDataFrame(page, "products_groups-table")
    groups.expect_cell(ask(site, product_rows.groups, view, "brand")["value"].iloc[0], row=0, col=0)
    page.locator("[id='products_movers-products_movers-select']").select_option("views")
    page.wait_for_url("**products-movers=views*")
    settled(page)
    expect(page.locator("#products_movers-part")).to_contain_text("Change of views")
