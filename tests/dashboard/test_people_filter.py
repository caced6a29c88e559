"""The pages of a segment's people only: each number is theirs, on each page, and the link holds it."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

import banner
from clickstream_dagster.cli.serving import reader_environment
from clickstream_dagster.warehouse.connection import transaction
from dashboard_site import PAGES, Site, settled
from queries import Warehouse, dsn

LOOKERS = "window-shoppers"
NUMBERS = """
    select count(distinct visitor_id), count(*) from fact_sessions
    inner join dim_visitor using (visitor_id)
    where not fact_sessions.is_bot and local_date between '2026-02-20' and '2026-03-19'
        and person_id in (select person_id from segment_members where segment = %(segment)s)
"""


def value(page: Page, name: str) -> str:
    found = page.locator(f"[id='overview_period-period_{name}'] .value-box-value span[title]").first
    return str(found.get_attribute("title"))


def choose(page: Page, name: str) -> None:
    page.get_by_role("button", name="Filters").click()
    controller.InputSelect(page, "segment").set(name)
    page.locator("#filters .btn-close").click()
    settled(page)


def test_every_number_is_that_of_the_chosen_people(site: Site, page: Page) -> None:
    page.goto(site.url)
    settled(page)
    everybody = value(page, "sessions")
    choose(page, LOOKERS)
    page.wait_for_url(f"**segment={LOOKERS}*")
    [(visitors, sessions)] = site.rows(NUMBERS, segment=LOOKERS)
    assert sessions > 0
    assert [int(re.sub(r"\D", "", value(page, name))) for name in ("visitors", "sessions", "orders")] == [
        *(visitors, sessions),
        0,  # they have bought nothing
    ]
    link = page.url
    page.get_by_role("button", name=re.compile("Take the filter segment .* off")).click()
    page.wait_for_url(lambda url: "segment" not in url)
    settled(page)
    assert value(page, "sessions") == everybody
    page.goto(link)
    settled(page)
    assert int(re.sub(r"\D", "", value(page, "sessions"))) == sessions
    controller.InputSelect(page, "segment").expect_selected(LOOKERS)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_answers_for_them(name: str, site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page={name}&segment={LOOKERS}")
    settled(page)
    expect(page.locator(".card-problem:visible")).to_have_count(0)
    assert parse_qs(urlsplit(page.url).query)["segment"] == [LOOKERS]


def test_a_segment_that_is_not_there_is_everybody(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?segment=nobody")
    settled(page)
    expect(page.get_by_text("There is no segment 'nobody' in segments.yml")).to_be_visible()


def test_who_may_not_use_the_schema_is_offered_no_segment(site: Site) -> None:
    """PostgreSQL passes a schema by that a login may not use: its tables would be everybody's."""

    async def people() -> set[str]:
        found = await banner.bounds(Warehouse(dsn(reader_environment(site.stack))))
        return set(found.people) if found else set()

    def asked() -> set[str]:
        with ThreadPoolExecutor(1) as thread:  # Playwright keeps an event loop in this one
            return thread.submit(lambda: asyncio.run(people())).result()

    assert LOOKERS in asked()
    with site.stack.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("revoke usage on schema in_segment from clickstream_reader")
    try:
        assert asked() == set()
    finally:
        with site.stack.warehouse() as connection, transaction(connection) as cursor:
            cursor.execute("grant usage on schema in_segment to clickstream_reader")
