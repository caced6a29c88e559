"""A small shop with five weeks of traffic, its dashboard, and a browser; all of them for the whole test run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from obstore.store import MemoryStore
from playwright.sync_api import Browser, Page, Playwright, expect

from clickstream_dagster.local.traffic.generate import requests
from clickstream_dagster.local.traffic.sending import send
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import create_database
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from dashboard_site import Site, launch, serving, watched

expect.set_options(timeout=15_000)
UNTIL = datetime(2026, 3, 20, 14, tzinfo=UTC)
DAYS = 35


@pytest.fixture(scope="session")
def shop(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A warehouse with invented traffic, in Berlin's time."""
    create_database(postgres, "dashboard")
    settings = load_settings(
        {"CLICKSTREAM_HOME": str(tmp_path_factory.mktemp("dashboard")), "CLICKSTREAM_TIMEZONE": "Europe/Berlin"}
    )
    stack = Stack(replace(settings, postgres=replace(postgres, database="dashboard")))
    store = MemoryStore()
    send(requests(7, DAYS, UNTIL, visitors_per_day=60), store)
    start = (UNTIL - timedelta(days=DAYS)).replace(hour=0)
    with stack.warehouse() as connection:
        load_hours(connection, store, start, UNTIL)
        rebuild_all(connection)
    return stack


@pytest.fixture(scope="session")
def site(shop: Stack) -> Iterator[Site]:
    """Its dashboard."""
    with serving(shop) as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium."""
    started = launch(playwright)
    yield started
    started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new tab of a desktop. The test fails when anything went wrong on it that the test did not look at."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    tab = context.new_page()
    wrong = watched(tab)
    yield tab
    context.close()
    assert wrong == []
