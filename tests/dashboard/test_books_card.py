"""What the Reliability page shows of the shop's own orders: how to connect them, and then just those on which events differ."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.shop_orders.order import ShopOrder
from clickstream_dagster.warehouse.shop_orders.store import store_file
from dashboard_site import Site, settled

PERIOD = "page=reliability&from=2026-03-01&to=2026-03-18"
FORMULA, HTML = "=HYPERLINK(1)", "<b>bold</b>"
#: The shop's orders: what people bought by events, and two that no event told of.
_TOLD = """
    select order_id, ordered_at, currency, revenue, refunded from fact_orders
    where has_order_id and not is_bot order by ordered_at
"""
_COUNTED = """
    select count(*), sum(revenue) filter (where currency = 'USD') from fact_orders
    where local_date between '2026-03-01' and '2026-03-18' and has_order_id and not is_bot
"""


class Told(NamedTuple):
    """What was put into the shop's books, to be found again."""

    orders: int
    revenue: Decimal
    taxed: str
    nowhere: int


def shop_order(order: str, at: datetime, currency: str, total: Decimal, refunded: Decimal) -> ShopOrder:
    return ShopOrder(order, at, "paid", True, currency, total, None, None, None, None, refunded, None, None)


@pytest.fixture(scope="module")
def told(site: Site) -> Iterator[Told]:
    """A shop that agrees with the events, but for two orders that did not arrive and one without its tax."""
    orders = [shop_order(*row) for row in site.rows(_TOLD)]
    [place] = [
        n for n, one in enumerate(orders) if one.placed_at.date().isoformat() == "2026-03-10" and one.currency == "USD"
    ][:1]
    taxed = orders[place]
    orders[place] = replace_total(taxed)
    at = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
    orders += [shop_order(name, at, "USD", Decimal(100), Decimal(0)) for name in (FORMULA, HTML)]
    [(count, revenue)] = site.rows(_COUNTED)
    [(nameless,)] = site.rows(
        "select count(*) from fact_orders where local_date between '2026-03-01' and '2026-03-18' "
        "and not has_order_id and not is_bot"
    )
    with site.stack.warehouse() as connection:
        store_file(connection, orders, "orders.csv")
        time.sleep(6)  # the dashboard asks every five seconds whether the data has changed
        yield Told(count, revenue, taxed.order_id, nameless)
        with transaction(connection) as cursor:
            cursor.execute("truncate shop_orders; update shop_readings set known = '{}'")


def replace_total(order: ShopOrder) -> ShopOrder:
    return order._replace(total=order.total + 19, tax=Decimal(19))


def test_without_a_shop_one_line_says_how_to_connect_it(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?{PERIOD}")
    settled(page)
    expect(page.locator("[id='reliability_books-row']")).to_contain_text("No shop is connected. Set SHOP_PG_HOST")
    assert page.locator("[id='reliability_books-arrived']").count() == 0


def test_the_shares_and_the_orders_that_are_not_alike(site: Site, page: Page, told: Told) -> None:
    page.goto(f"{site.url}?{PERIOD}")
    settled(page)
    values = {
        name: page.locator(f"[id='reliability_books-{name}'] .value-box-value").inner_text()
        for name in ("arrived", "revenue", "missing", "differing", "surplus")
    }
    assert float(values["arrived"].split()[0]) == pytest.approx(100 * told.orders / (told.orders + 2), abs=0.06)
    whole = told.revenue + 200 + 19
    assert float(values["revenue"].split()[0]) == pytest.approx(float(100 * told.revenue / whole), abs=0.06)
    assert (values["missing"], values["differing"], values["surplus"]) == ("2", "1", str(told.nowhere))
    expect(page.locator("[id='reliability_books-row']")).to_contain_text(
        f"2 of {told.orders + 2} did not arrive by events"
    )
    table = controller.OutputDataFrame(page, "reliability_books_orders-table")
    table.expect_nrow(3 + told.nowhere)
    text = page.locator("[id='reliability_books_orders-table']").inner_text()
    for word in (FORMULA, HTML, told.taxed, "missing in events", "amount differs", "by its tax"):
        assert word in text


def test_its_csv_is_no_formula(site: Site, page: Page, told: Told) -> None:
    page.goto(f"{site.url}?{PERIOD}")
    settled(page)
    with page.expect_download() as download:
        page.locator("[id='reliability_books_orders-csv']").click()
    lines = download.value.path().read_text().splitlines()
    assert [line for line in lines if FORMULA in line]
    assert not [cell for line in lines for cell in line.split(",") if cell.strip('"').startswith("=")]
