"""What is out of the ordinary, on the overview: in words, with what explains it, and nothing on a quiet day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.stack import Stack
from dashboard_site import Site, serving, settled
from support.hours import END, START, Hours
from support.outages import sell

PLACE = "[id='overview_unusual-row']"
FOX = "<b>Fox</b> desktop"


@contextmanager
def overview(stack: Stack, page: Page) -> Iterator[None]:
    """The overview of a shop of its own. The tab leaves it before its server ends."""
    with serving(stack) as site:
        page.goto(site.url)
        settled(page)
        yield
        page.goto("about:blank")


def test_a_quiet_shop_is_told_so(site: Site, page: Page) -> None:
    page.goto(site.url)
    settled(page)
    expect(page.locator(PLACE)).to_contain_text(
        "In the whole shop, nothing is out of the ordinary in the day up to Friday 20 March, 15:00."
    )


def test_an_outage_is_the_first_thing_on_the_overview(stack: Stack, page: Page) -> None:
    sell(stack)
    with overview(stack, page):
        sentence = page.locator(PLACE).get_by_text("checkout stopped on Chrome (desktop) since Monday 18:00")
        expect(sentence).to_be_in_viewport()
        sentence.click()
        rows = page.locator(f"{PLACE} tbody tr")
        assert rows.all_inner_texts() == [
            "Browser: Chrome (desktop)\t0\t24\t100 %",
            "Browser: Firefox (desktop)\t24\t24\t0 %",
        ]
        assert Axe().run(page, PLACE).violations_count == 0


def test_a_young_shop_is_told_to_wait(stack: Stack, page: Page) -> None:
    hours = Hours()
    hours.set(END - timedelta(days=20), END, "sessions 40")
    hours.write(stack)
    with overview(stack, page):
        expect(page.locator(PLACE)).to_contain_text("told from the fifth week on")


@pytest.mark.parametrize(
    ("usually", "then", "subject", "explained"),
    [
        ("sessions 40", "sessions 10", "Visits", "Channel: direct\t30\t120\t100 %"),
        ("orders 20 of 25", "orders 2 of 25", "Revenue", "Channel: direct\t150.00\t1,500\t100 %"),
        (f"checkout {FOX} 10", f"checkout {FOX} 0", "checkout", "Browser: <b>Fox</b> (desktop)\t0\t30\t100 %"),
    ],
)
def test_what_explains_it(stack: Stack, page: Page, usually: str, then: str, subject: str, explained: str) -> None:
    """Of visits, money and events; and a browser's name is text."""
    hours = Hours()
    for line in ("sessions 40", f"page_view {FOX} 50", usually):
        hours.set(START, END, line)
    hours.set(END - 3 * HOUR, END, then)
    hours.write(stack)
    with overview(stack, page):
        page.locator(f"{PLACE} summary", has_text=subject).click()
        expect(page.locator(f"{PLACE} details[open] tbody tr").first).to_have_text(explained, use_inner_text=True)
        assert page.locator(f"{PLACE} b").count() == 0
