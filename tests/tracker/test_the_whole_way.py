"""The whole way: a browser shops in the demo shop, and what it clicked stands in the tables and on the dashboard.

Every part is the one that users have: the command serves the shop and the collector on a real port, raw objects lie in a
folder, the command materializes them into PostgreSQL, and the dashboard reads that.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from cli_command import COMMAND, Command
from playwright.sync_api import Browser, Playwright, expect

from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from dashboard_site import Site, serving, wait_for, watched
from shopper import CLICKED, delivered, shop_around
from support.browsers import launch

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
#: What the tracker adds of itself, as time passes.
OF_ITSELF = {"engagement", "web_vitals"}
ITEMS = [
    ("sku-1029", "Tessaro Vertical", 1, Decimal("59.00")),
    ("sku-1044", "Velanta RX Nova 70", 1, Decimal("519.00")),
]
REVENUE = Decimal("578.00")
#: Page of the dashboard -> its boxes, and what they say.
ON_DASHBOARD = {
    "overview": {
        "overview_period-period_visitors": "1",
        "overview_period-period_sessions": "1",
        "overview_period-period_conversion": "1",
        "overview_period-period_orders": "1",
        "overview_period-period_revenue": "578.00",
    },
    "funnel": {"funnel_boxes-entered": "1", "funnel_boxes-finished": "1", "funnel_boxes-overall": "1"},
}


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium that does not say it is driven by a test: the pipeline would rightly label it as a bot. By flags, as what a
    context says of itself is not said by requests that outlive their page."""
    started = launch(playwright, "chromium", "--disable-blink-features=AutomationControlled", f"--user-agent={AGENT}")
    yield started
    started.close()


@pytest.fixture
def clickstream(stack: Stack, postgres: Postgres) -> Command:
    """The command, in the home and on the warehouse of this test."""
    settings = stack.settings
    assert settings.postgres is not None
    server = {
        "DW_PG_HOST": postgres.host,
        "DW_PG_PORT": str(postgres.port),
        "DW_PG_DATABASE": settings.postgres.database,
    }
    return Command(settings.home, {**server, "DAGSTER_PG_DATABASE": settings.dagster_database})


@contextmanager
def gateway(clickstream: Command) -> Iterator[str]:
    """`clickstream gateway` until the block ends; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # Only another site may send, and the gateway's own pages.
    environ = {**clickstream.environment(), "CLICKSTREAM_ALLOWED_ORIGINS": "https://shop.example"}
    command = [str(COMMAND), "gateway", "--port", str(port)]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def raw_events(clickstream: Command) -> list[dict[str, Any]]:
    """Every event in the raw folder, each once."""
    files = (clickstream.home / "raw" / "events").rglob("*.json")
    lines = (json.loads(line) for file in files for line in file.read_bytes().splitlines())
    return list({line["event_id"]: line for line in lines}.values())


def names(events: list[str]) -> dict[str, int]:
    return dict(Counter(name for name in events if name not in OF_ITSELF))


def test_what_is_clicked_in_the_shop_stands_in_the_tables_and_on_the_dashboard(
    clickstream: Command, stack: Stack, browser: Browser
) -> None:
    visitor = browser.new_context(viewport={"width": 1280, "height": 900})
    page = visitor.new_page()
    wrong = watched(page)
    with gateway(clickstream) as url:
        order = shop_around(page, url)
        delivered(page)
        visitor.close()
    assert wrong == []
    raw = raw_events(clickstream)
    assert names([event["event_name"] for event in raw]) == CLICKED
    assert not (clickstream.home / "raw" / "rejected").exists()

    ran = clickstream("materialize")
    assert ran.code == 0, ran.err
    with serving(stack) as site:
        check_tables(site, raw, order)
        check_dashboard(site, browser)


def check_tables(site: Site, raw: list[dict[str, Any]], order: str) -> None:
    """The session, the funnel, the order."""
    stored = site.rows("select event_id::text, event_name from clickstream_events")
    assert {event_id for event_id, _ in stored} == {event["event_id"] for event in raw}
    assert names([name for _, name in stored]) == CLICKED
    assert site.rows("select bool_and(received = loaded + duplicate + rejected) from etl_ledger") == [(True,)]
    [visitor] = {event["client_id"] for event in raw}
    [user] = {event["user_id"] for event in raw if "user_id" in event}
    assert re.fullmatch(r"[0-9a-f-]{36}", user)
    assert site.rows(
        "select visitor_id, user_id, event_count, page_view_count, product_view_count, search_count, click_count, "
        "add_to_cart_count, checkout_count, purchase_count, order_count, funnel_step, is_bounce, is_engaged, is_new_visitor, "
        "entry_path, exit_path, channel, source, medium, campaign, device_type, is_bot from fact_sessions"
    ) == [
        (
            *(visitor, user, len(raw), 11, 3, 3, 3, 2, 1, 2, 1, 4, False, True, True),
            *("/shop/", "/shop/checkout/thank-you", "email", "newsletter", "email", "weekly-deals", "desktop", False),
        )
    ]
    assert site.rows(
        "select event_name, sum(sessions)::integer from agg_daily_funnel group by step, 1 order by step"
    ) == [
        ("view_product", 1),
        ("add_to_cart", 1),
        ("checkout", 1),
        ("purchase", 1),
    ]
    assert site.rows(
        "select order_id, visitor_id, revenue, refunded, currency, item_count, is_bot from fact_orders"
    ) == [(order, visitor, REVENUE, Decimal(0), "USD", 2, False)]
    assert (
        site.rows(
            "select product_id, product_name, quantity, price from fact_order_items where order_id = %(order)s order by 1",
            order=order,
        )
        == ITEMS
    )
    assert site.rows(
        "select term, searches::integer, without_results::integer, clicked::integer, orders::integer, revenue "
        "from agg_daily_search order by 1"
    ) == [("labtop", 1, 1, 0, 0, 0), ("rx nova", 1, 0, 1, 0, 0), ("vertical mouse", 1, 0, 1, 1, REVENUE)]


def check_dashboard(site: Site, browser: Browser) -> None:
    """The same numbers, as the shop's owner reads them."""
    [(first, last)] = site.rows("select min(local_date)::text, max(local_date)::text from fact_orders")
    owner = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = owner.new_page()
    wrong = watched(page)
    for name, boxes in ON_DASHBOARD.items():
        page.goto(f"{site.url}?page={name}&from={first}&to={last}")
        for box, value in boxes.items():
            # The exact number, from the box's hover.
            number = page.locator(f"[id='{box}'] .value-box-value span[title]").first
            expect(number).to_have_attribute("title", re.compile(rf"{re.escape(value)}(;|$)"), timeout=60_000)
    page.goto("about:blank")
    owner.close()
    assert wrong == []
