"""A shop with the tracker, its collector, and every browser that this machine has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from books import assert_books_balance, loaded
from clickstream_dagster.stack import Stack
from support.browsers import installed, launch
from tracker_site import Collector, Shop, served, watched


@pytest.fixture
def collector() -> Iterator[Collector]:
    """The real collector, on a host of its own."""
    made = Collector()
    with served(made) as port:
        made.url = f"http://127.0.0.1:{port}/clickstream"
        yield made


@pytest.fixture
def shop(collector: Collector) -> Iterator[Shop]:
    """Pages with the tracker on them."""
    made = Shop(collector)
    with served(made) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


@pytest.fixture
def in_the_warehouse(collector: Collector, stack: Stack) -> Iterator[None]:
    """After the test, when its pages are closed: what was sent stands in the warehouse, no event twice."""
    yield
    assert_books_balance(loaded(stack, collector), collector)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """What drives them. Stopped after each file: it keeps an event loop running, and other tests start their own."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module", params=installed())
def browser(request: pytest.FixtureRequest, playwright: Playwright) -> Iterator[Browser]:
    """Each browser in turn."""
    started = launch(playwright, request.param)
    yield started
    started.close()


@pytest.fixture
def chromium(browser: Browser) -> Browser:
    """For what only its protocol can do: kill a tab, prerender, deny a store."""
    if browser.browser_type.name != "chromium":
        pytest.skip("needs the protocol of chromium")
    return browser


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """New visitors: each context is a browser that was never here. Nothing may go wrong on any of their pages."""
    made: list[BrowserContext] = []
    wrong: list[str] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**options)
        context.on("page", lambda page: watched(page, wrong))
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()
    assert wrong == []


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    """A new visitor."""
    return new_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of theirs."""
    return context.new_page()
