"""What the Reliability page shows of the cloud: a kind word on a laptop, and AWS's own numbers where there are any."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

from clickstream_dagster.warehouse.connection import transaction
from dashboard_site import Site, settled

#: By the shop's clock, 19 March from 8 to 10 in the morning.
FIRST = datetime(2026, 3, 19, 7, tzinfo=UTC)
HOURS = [
    {"requests": 900, "client_errors": 90, "server_errors": 0, "latency_p95": 38.2, "errors": 0, "messages": 2},
    {"requests": 100, "client_errors": 10, "server_errors": 5, "latency_p95": 112.6, "errors": 3, "messages": 1},
]
PERIOD = "page=reliability&from=2026-03-19&to=2026-03-19"


@pytest.fixture(scope="module")
def told(site: Site) -> Iterator[None]:
    """Two hours of AWS's numbers. The tests that ask for them come last: before, there are none."""
    rows = [
        (
            FIRST + timedelta(hours=place),
            "ingest" if name == "errors" else "queue" if name == "messages" else "api",
            name,
            value,
        )
        for place, hour in enumerate(HOURS)
        for name, value in hour.items()
    ]
    with site.stack.warehouse() as connection:
        with transaction(connection) as cursor:
            cursor.executemany("insert into operational_metrics values (%s, %s, %s, %s, 'Count')", rows)
        time.sleep(6)  # the dashboard asks every five seconds whether the data has changed
        yield
        with transaction(connection) as cursor:
            cursor.execute("truncate operational_metrics")


def shown_as_table(page: Page) -> controller.OutputDataFrame:
    page.locator("[id='reliability_cloud-face']").get_by_text("Table").click()
    settled(page)
    return controller.OutputDataFrame(page, "reliability_cloud-table")


def test_a_laptop_has_no_card_about_the_cloud(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?{PERIOD}")
    settled(page)
    expect(page.locator("#reliability_cloud-part")).to_be_hidden()
    expect(page.locator("[id='reliability_state-freshness']")).to_be_visible()
    assert page.locator("[id='reliability_state-dead_letters']").count() == 0


def test_errors_latency_and_queues_stand_next_to_freshness(site: Site, page: Page, told: None) -> None:
    page.goto(f"{site.url}?{PERIOD}&cloud-by=hour")
    settled(page)
    values = {
        name: page.locator(f"[id='reliability_state-{name}'] .value-box-value").inner_text()
        for name in ("api_errors", "latency", "dead_letters")
    }
    assert values["api_errors"].startswith("0.5"), "5 of 1,000"
    assert values["latency"].startswith("113")
    assert values["dead_letters"] == "1"
    table = shown_as_table(page)
    table.expect_nrow(2)
    for place, text in enumerate(["2026-03-19 08:00 CET", "900", "10.00", "0.00", "38", "0"]):
        table.expect_cell(text, row=0, col=place)
    table.expect_cell("2", row=0, col=7)
    table.expect_cell("5.00", row=1, col=3)


def test_a_day_sums_its_hours_and_shows_the_worst_of_them(site: Site, page: Page, told: None) -> None:
    page.goto(f"{site.url}?{PERIOD}")
    settled(page)
    table = shown_as_table(page)
    table.expect_nrow(1)
    for place, text in enumerate(["2026-03-19", "1,000", "10.00", "0.50", "113", "3"]):
        table.expect_cell(text, row=0, col=place)
