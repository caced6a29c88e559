"""Does the dashboard give back what a tab took, and what does a page load cost?

Run: python bench/dashboard_soak.py [--home DIR] [--loads N] [--switches N] [--code FOLDER]

Serves the warehouse of DIR (default: CLICKSTREAM_HOME) in one process and looks at it with Chromium: first N tabs, each opened,
waited for and closed; then N changes of the page in one tab, by clicks on the navigation bar; then 50 open tabs and one more.
Prints the memory of the server (VmRSS) along the way, its CPU seconds for each load and each change, and the seconds until
the first number is seen. FOLDER serves another version of the code. After every change of the page, the shown page and the
URL must agree; the run fails when they do not.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "dashboard"))

from playwright.sync_api import Browser, Page, sync_playwright

from dashboard_site import PAGES, SHINY, Site, launch, serving, settled

FIRST_NUMBER = "[id='overview_period-period_sessions'] .value-box-value"
OPEN_TABS = 50
SEED = 7


def main() -> None:
    from clickstream_dagster.settings import load_settings
    from clickstream_dagster.stack import Stack

    asked = arguments()
    if asked.home:
        os.environ["CLICKSTREAM_HOME"] = str(asked.home)
    stack = Stack(load_settings())
    with serving(stack, code=asked.code) as site, sync_playwright() as playwright:
        browser = launch(playwright)
        print(f"load {' '.join(f'{value:.1f}' for value in os.getloadavg())} on {os.cpu_count()} cores")
        print(f"{'at the start':34} {site.memory():6.0f} MB")
        loads(browser, site, asked.loads)
        switches(browser, site, asked.switches)
        one_more(browser, site)
        browser.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path)
    parser.add_argument("--loads", type=int, default=300)
    parser.add_argument("--switches", type=int, default=2_000)
    parser.add_argument("--code", type=Path, default=SHINY)
    return parser.parse_args()


def loads(browser: Browser, site: Site, count: int) -> None:
    """Tabs one after the other, each closed before the next."""
    context = browser.new_context()
    cpu, first = [], []
    for number in range(1, count + 1):
        before, started = site.cpu(), time.monotonic()
        page = context.new_page()
        page.goto(site.url, wait_until="commit")  # not until all is loaded: the first number comes before
        page.wait_for_selector(FIRST_NUMBER)
        first.append(time.monotonic() - started)
        settled(page)
        page.close()
        cpu.append(site.cpu() - before)
        if number % max(1, count // 10) == 0:
            told(f"{number} loads", site, cpu, first)
            cpu, first = [], []
    context.close()


def switches(browser: Browser, site: Site, count: int) -> None:
    """Changes of the page in one tab."""
    page, chosen, cpu, at = browser.new_page(), random.Random(SEED), site.cpu(), "overview"
    page.goto(site.url)
    settled(page)
    for number in range(1, count + 1):
        at = chosen.choice([name for name in PAGES if name != at])
        switch(page, at)
        if number % max(1, count // 10) == 0:
            told(f"{number} changes of the page", site, [(site.cpu() - cpu) / max(1, count // 10)], [])
            cpu = site.cpu()
    page.close()


def switch(page: Page, name: str) -> None:
    page.locator(f"#page [data-value='{name}']").click()
    settled(page)
    page.wait_for_url(f"**page={name}*", timeout=10_000)
    shown = page.locator("#page .nav-link.active").get_attribute("data-value")
    assert shown == name, f"{shown} is shown, {page.url} is its address"


def one_more(browser: Browser, site: Site) -> None:
    """The first number of a tab while others are open."""
    context = browser.new_context()
    for _ in range(OPEN_TABS):
        context.new_page().goto(site.url)
    settled(context.pages[-1])
    started = time.monotonic()
    page = context.new_page()
    page.goto(site.url, wait_until="commit")
    page.wait_for_selector(FIRST_NUMBER)
    told(f"tab {OPEN_TABS + 1} beside {OPEN_TABS}", site, [], [time.monotonic() - started])
    context.close()


def told(what: str, site: Site, cpu: list[float], first: list[float]) -> None:
    spent = f"  {statistics.median(cpu):5.2f} s of CPU" if cpu else ""
    seen = f"  first number after {statistics.median(first):5.2f} s" if first else ""
    print(f"{what:34} {site.memory():6.0f} MB{spent}{seen}", flush=True)


if __name__ == "__main__":
    main()
