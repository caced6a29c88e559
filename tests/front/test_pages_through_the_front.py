"""Our own pages in a browser, behind the front: they work, and ask for nothing that their policy forbids."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard_site import blocked_by_policy
from three_servers import Three

expect.set_options(timeout=60_000)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab whose console must stay free of what the policy forbids."""
    tab = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    said: list[str] = []
    tab.on("console", lambda line: said.append(line.text) if blocked_by_policy(line.text) else None)
    yield tab
    tab.context.close()
    assert said == []


def test_dagster_launches_a_run_from_its_page(three: Three, page: Page) -> None:
    before = three.runs()
    page.goto(three.url("dagster") + "/assets/dim_date")
    page.get_by_role("button", name=re.compile("Materialize…?$")).click()
    if (launch := page.get_by_role("button", name="Launch run")).is_visible():
        launch.click()
    expect(page.get_by_text("Launched run")).to_be_visible()
    [launched] = set(three.runs()) - set(before)
    page.goto(f"{three.url('dagster')}/runs/{launched}")
    expect(page.get_by_text("dim_date").first).to_be_visible()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/asset-groups", "Materialize all"),
        ("/locations", "Reload all"),
        ("/automation", "closed_hour"),
        ("/runs", "Newer"),
        ("/graphql?query={version}", "Prettify"),
    ],
)
def test_dagster_s_pages_keep_to_the_policy(three: Three, page: Page, path: str, shown: str) -> None:
    page.goto(three.url("dagster") + path)
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text(shown).first).to_be_visible()


def test_the_dashboard_shows_its_numbers(three: Three, page: Page) -> None:
    page.goto(three.url("dashboard") + "/")
    expect(page.locator("[id='overview_period-period_sessions']")).to_contain_text("Sessions")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
