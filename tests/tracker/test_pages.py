"""What counts as a page view, links, engaged time, web vitals: and a page that was prepared, or kept, by the browser."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from support.browsers import FLAGS, executable, launch
from tracker_site import Collector, Shop, assert_all_heard, flush, say, until, watched


def views(collector: Collector) -> list[str]:
    """The paths of all page views, in their order."""
    events = {line["event_id"]: line for line in collector.lines() if line["event_name"] == "page_view"}
    ordered = sorted(events.values(), key=lambda event: event["event_timestamp"])
    return ["/" + event["page_url"].split("/", 3)[3] for event in ordered]


def events(collector: Collector, name: str) -> list[dict[str, Any]]:
    found = {line["event_id"]: line for line in collector.lines() if line["event_name"] == name}
    return sorted(found.values(), key=lambda event: event["event_timestamp"])


def test_push_pop_and_replace_count_where_the_path_changes(collector: Collector, shop: Shop, page: Page) -> None:
    page.goto(shop.url + "/a")
    page.evaluate(
        """() => {
            history.pushState({}, "", "/b"); document.title = "B";
            history.pushState({}, "", "/b?filter=red");
            location.hash = "x";
            history.replaceState({}, "", "/b?filter=blue#top");
            history.replaceState({}, "", "/c");
        }"""
    )
    page.evaluate("history.go(-2)")  # to /b
    page.wait_for_url("**/b")
    assert flush(page) == 0
    assert views(collector) == ["/a", "/b", "/c", "/b"]
    shown = events(collector, "page_view")
    assert [view.get("referrer", "").removeprefix(shop.url) for view in shown] == ["", "/a", "/b", "/c"]
    assert shown[1]["page_title"] == "B"  # which the page set after the push


def test_history_still_works_as_the_page_expects(shop: Shop, page: Page) -> None:
    page.goto(shop.url)
    assert page.evaluate("history.pushState({a: 1}, '', '/x') === undefined && history.state.a === 1")
    assert page.evaluate(
        "try { history.pushState({}, '', 'https://other.example/') } catch (error) { error.name }"
    ) == ("SecurityError")


def test_the_history_can_be_left_alone(collector: Collector, shop: Shop, page: Page) -> None:
    shop.attributes = 'data-spa="off" data-links="off" data-engagement="off"'
    page.goto(shop.url + "/a")
    page.evaluate("history.pushState({}, '', '/b')")
    page.evaluate("clickstream.pageView({page_title: 'My own'})")
    assert flush(page) == 0
    assert views(collector) == ["/a", "/b"]
    assert events(collector, "page_view")[1]["page_title"] == "My own"


def test_a_product_s_view_takes_the_place_of_its_page_view(collector: Collector, shop: Shop, page: Page) -> None:
    shop.head = "<script>(window.clickstream ||= []).push(['viewProduct', {id: 'p-1', price: 9.99}])</script>"
    page.goto(shop.url + "/p")
    shop.head = ""
    page.evaluate("history.pushState({}, '', '/q')")
    page.evaluate("clickstream.viewProduct({id: 'p-2', price: 1})")
    page.goto(shop.url + "/late")
    assert flush(page) == 0
    page.evaluate("clickstream.viewProduct({id: 'p-3', price: 1})")
    assert flush(page) == 0
    names = [name for name in collector.names() if name != "engagement"]
    assert names == ["view_product", "view_product", "page_view", "view_product"]


def test_outbound_and_file_links(collector: Collector, shop: Shop, page: Page) -> None:
    shop.body = """
        <a id="out" href="https://other.example/x?email=a@b.example#/reset/secret"><b>out</b></a>
        <a id="file" href="/manual.pdf">file</a> <a id="mail" href="mailto:a@b.example">mail</a>
        <a id="none">none</a> <svg><a id="svg" href="https://other.example/svg"><text y="20">s</text></a></svg>
        <button onclick="event.stopPropagation()">b</button>
        <script>for (const name of ["click", "auxclick"]) addEventListener(name, (event) => event.preventDefault())</script>"""
    page.goto(shop.url)
    for link in ("#out b", "#file", "#mail", "#none", "#next", "button"):
        page.click(link)
    page.click("#out", button="middle")
    page.click("#out", button="right")
    page.evaluate(
        "document.querySelector('#svg').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
    )
    assert flush(page) == 0
    found = [(event["props"]["element"], event["props"]["url"]) for event in events(collector, "click")]
    out = ("outbound", "https://other.example/x?email=[removed]")
    assert found == [out, ("file", shop.url + "/manual.pdf"), out]


def test_engaged_time_is_what_passes_between_signs_of_life(collector: Collector, shop: Shop, page: Page) -> None:
    page.clock.install()
    page.goto(shop.url + "/a")
    for _ in range(4):
        page.clock.fast_forward("00:10")
        page.mouse.wheel(0, 50)
        page.mouse.move(5, 5)
        page.wait_for_timeout(30)
    page.clock.fast_forward("20:00")  # asleep: half a minute of it may have been reading
    page.evaluate("history.pushState({}, '', '/b')")
    page.clock.fast_forward("00:05")
    page.goto("about:blank")
    until(lambda: len(events(collector, "engagement")) >= 4)
    found = [
        (event["page_url"].removeprefix(shop.url), event["props"]["engaged_ms"])
        for event in events(collector, "engagement")
    ]
    on_a = [time for path, time in found if path == "/a"]
    assert 69_000 < sum(on_a) < 73_000
    assert all(time >= 15_000 for time in on_a)
    assert [time // 1_000 for path, time in found if path == "/b"] == [5]


def test_a_page_that_nobody_looks_at_has_no_engaged_time(collector: Collector, shop: Shop, page: Page) -> None:
    page.add_init_script(
        "for (const [name, value] of [['hidden', true], ['visibilityState', 'hidden']])"
        " Object.defineProperty(Document.prototype, name, {get: () => value})"
    )
    page.goto(shop.url)
    page.wait_for_timeout(1_300)
    page.goto("about:blank")
    until(lambda: views(collector))
    assert events(collector, "engagement") == []


def test_web_vitals_begin_no_session(collector: Collector, shop: Shop, page: Page) -> None:
    shop.head = '<script defer src="/clickstream-vitals.js"></script>'
    page.clock.install()
    page.goto(shop.url)
    assert flush(page) == 0
    page.clock.fast_forward("45:00")
    page.goto("about:blank")
    page.wait_for_timeout(300)
    assert {line["event_name"] for line in collector.lines()} == {"page_view"}


def test_web_vitals_are_one_event_when_the_page_is_left(collector: Collector, shop: Shop, page: Page) -> None:
    shop.head = '<script defer src="/clickstream-vitals.js"></script>'
    shop.body = (
        "<h1>Hello</h1><script>setTimeout(() => document.body.prepend(document.createElement('hr')), 50)</script>"
    )
    page.goto(shop.url)
    page.wait_for_timeout(300)
    page.goto("about:blank")
    until(lambda: events(collector, "web_vitals"))
    [vitals] = events(collector, "web_vitals")
    assert 0 < vitals["props"]["lcp_ms"] < 10_000
    assert {"lcp_ms", "inp_ms", "cls"} <= vitals["props"].keys()


def test_each_page_load_asks_once(collector: Collector, shop: Shop, page: Page) -> None:
    for path in ("/a", "/b", "/a"):
        page.goto(shop.url + path)
        assert flush(page) == 0
    assert views(collector) == ["/a", "/b", "/a"]


@pytest.fixture
def keeping(playwright: Playwright, chromium: Browser) -> Iterator[tuple[BrowserContext, list[str]]]:
    """A chromium as its users have it: Playwright's own turns off the cache of whole pages."""
    browser = launch(playwright, "chromium", without=("--disable-back-forward-cache",))
    context = browser.new_context()
    wrong: list[str] = []
    context.on("page", lambda page: watched(page, wrong))
    yield context, wrong
    browser.close()
    assert wrong == []


@pytest.mark.usefixtures("in_the_warehouse")
def test_a_page_that_comes_back_as_it_was_left(
    collector: Collector, shop: Shop, keeping: tuple[BrowserContext, list[str]]
) -> None:
    page = keeping[0].new_page()
    page.goto(shop.url + "/a")
    flush(page)
    page.evaluate("window.mark = 1")
    say(page, range(3))  # which wait as it is left
    page.evaluate("location.href = '/b'")
    page.wait_for_url("**/b")
    page.wait_for_timeout(200)
    flush(page)
    page.evaluate("history.back()")
    page.wait_for_url("**/a", wait_until="commit")
    page.wait_for_timeout(300)
    reasons = page.evaluate("JSON.stringify(performance.getEntriesByType('navigation')[0].notRestoredReasons ?? null)")
    assert page.evaluate("window.mark") == 1, f"the page was not kept: {reasons}"
    say(page, range(3, 6))
    assert flush(page) == 0
    assert views(collector) == ["/a", "/b", "/a"]
    assert_all_heard(collector, range(6))


@pytest.fixture
def unattended(playwright: Playwright, chromium: Browser, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """A chromium that nobody drives: one that is driven prepares no page. The pages themselves say where to go."""
    started: list[subprocess.Popen[bytes]] = []

    def open_page(url: str) -> None:
        program = executable(playwright, "chromium") or ""
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        started.append(
            subprocess.Popen(
                [program, "--headless", *FLAGS, "--no-first-run", profile, url],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    yield open_page
    for process in started:
        process.terminate()
        process.wait(20)


# Only the first page asks for the next one: that would prepare itself again.
PREPARING = """<script>
(window.clickstream ||= []).push(["track", "early"]);
if (document.prerendering) fetch("/prepared");
if (location.pathname == "/a") {
    const rules = document.createElement("script");
    rules.type = "speculationrules";
    rules.text = '{"prerender": [{"source": "list", "urls": ["/next"], "eagerness": "immediate"}]}';
    document.head.append(rules);
    setTimeout(() => { location.href = "GOAL" }, 4000);
}
</script>"""


@pytest.mark.usefixtures("in_the_warehouse")
@pytest.mark.parametrize("goal", ["/next", "/other"])
def test_a_page_that_is_prepared_counts_when_it_is_seen_and_never_before(
    collector: Collector, shop: Shop, unattended: Callable[[str], None], goal: str
) -> None:
    shop.head = PREPARING.replace("GOAL", goal)
    unattended(shop.url + "/a")
    until(lambda: "/prepared" in shop.visits, 20)  # its scripts have run
    until(lambda: views(collector) == ["/a"])
    time.sleep(1.5)
    assert views(collector) == ["/a"]
    assert collector.names().count("early") == 1
    until(lambda: views(collector) == ["/a", goal], 20)
    assert collector.names().count("early") == 2
    assert shop.visits.count("/next") == 1  # shown as it was prepared, not loaded anew
    assert all("/next" not in line["page_url"] for line in collector.lines() if goal != "/next")
