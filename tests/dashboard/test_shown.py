"""Quick hands on a slow line: what is shown, what the address says and what was chosen last come to agree, and stay so."""

from __future__ import annotations

import random

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

from dashboard_site import PAGES, Site, settled
from slow_line import slow_line

DELAY_SECONDS = 0.8
#: More than a message and its answer may take, several times.
WATCHED_MS = 5_000
SHOWN = """() => [document.querySelector("#page .nav-link.active").dataset.value,
    document.querySelector("#period").value, location.search, history.length].join(" ")"""


def shown(page: Page) -> str:
    """The page in sight, the period, the address, and the length of the history."""
    return str(page.evaluate(SHOWN))


def stays(page: Page, expected: str) -> None:
    """Waits for a state, and sees that it is the last one."""
    page.wait_for_function(f"(expected) => ({SHOWN})() === expected", arg=expected, timeout=30_000)
    settled(page)
    seen = set()
    for _ in range(WATCHED_MS // 100):
        seen.add(shown(page))
        page.wait_for_timeout(100)
    assert seen == {expected}


@pytest.mark.parametrize("gap_ms", [30, 500])
def test_thirty_clicks_lead_to_the_last_one(site: Site, page: Page, gap_ms: int) -> None:
    chosen, at = random.Random(11), "overview"
    with slow_line(site.url) as line:
        page.goto(line.url)
        settled(page)
        before = page.evaluate("history.length")
        line.most_seconds = DELAY_SECONDS
        for _ in range(30):
            at = chosen.choice([name for name in PAGES if name != at])
            page.locator(f"#page [data-value='{at}']").click()
            page.wait_for_timeout(gap_ms)
        stays(page, f"{at} 28d ?page={at} {before + 30}")
        page.goto("about:blank")


def test_choices_of_all_kinds_at_once_lead_to_the_last_of_each(site: Site, page: Page) -> None:
    with slow_line(site.url) as line:
        page.goto(line.url)
        settled(page)
        before = page.evaluate("history.length")
        line.most_seconds = DELAY_SECONDS
        metric = page.locator("[id='overview_trend-metric'] select")
        for period, name in (("7d", "orders"), ("90d", "revenue"), ("today", "visitors"), ("7d", "orders")):
            page.locator("#period").select_option(period)
            page.wait_for_timeout(40)
            metric.select_option(name)
            page.wait_for_timeout(40)
        page.locator("#page [data-value='funnel']").click()
        stays(page, f"funnel 7d ?page=funnel&period=7d&metric=orders {before + 9}")
        expect(metric).to_have_value("orders")
        page.goto("about:blank")


def test_back_is_quick_too(site: Site, page: Page) -> None:
    with slow_line(site.url) as line:
        page.goto(line.url)
        settled(page)
        for name in ("funnel", "products"):
            page.locator(f"#page [data-value='{name}']").click()
            page.wait_for_url(f"**page={name}")
        controller.InputSelect(page, "period").set("7d")
        page.wait_for_url("**period=7d")
        settled(page)
        length = page.evaluate("history.length")
        line.most_seconds = DELAY_SECONDS
        for _ in range(3):
            page.evaluate("history.back()")
            page.wait_for_timeout(150)
        stays(page, f"overview 28d ?page=overview {length}")
        for _ in range(2):
            page.evaluate("history.forward()")
            page.wait_for_timeout(150)
        stays(page, f"products 28d ?page=products {length}")
        page.goto("about:blank")


def test_back_while_a_choice_is_on_its_way(site: Site, page: Page) -> None:
    with slow_line(site.url) as line:
        page.goto(line.url)
        settled(page)
        page.locator("#page [data-value='funnel']").click()
        page.wait_for_url("**page=funnel")
        settled(page)
        line.most_seconds = DELAY_SECONDS
        page.locator("#period").select_option("7d")
        page.evaluate("history.back()")
        stays(page, f"overview 28d ?page=overview {page.evaluate('history.length')}")
        page.goto("about:blank")
