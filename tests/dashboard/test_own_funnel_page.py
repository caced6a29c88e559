"""The page of funnels of one's own: what is typed, what the address holds, and what the tables say of it."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from playwright.sync_api import Page, expect

import own_steps
from clickstream_dagster.cli.serving import reader_environment
from clickstream_dagster.warehouse import funnel_file
from dashboard_site import Site, settled
from pages import own_funnel_rows
from periods import Period
from queries import Problem, Warehouse, dsn
from view import View

VIEW = View("own_funnel", Period(date(2026, 3, 6), date(2026, 3, 19)), date(2026, 2, 13))
STEPS = "on /product/*\nadd_to_cart\ncheckout"
FUNNEL = (
    "select step, units from funnel(%(steps)s::jsonb, '2026-03-06', '2026-03-19', %(unit)s, %(within)s) order by step"
)


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


@pytest.mark.parametrize("name", ["checkout-started", "video.play", "ga4:x", "on", "of", "a" * 64])
def test_whatever_an_event_may_be_called_is_a_step(name: str) -> None:
    """By the contract's own rule, and that of CLICKSTREAM_FUNNEL_STEPS, which the page begins with."""
    assert own_steps.parsed(f"{name}\npurchase")[0] == funnel_file.step(name) == {"event": name}


@pytest.mark.parametrize(
    "line",
    [
        *("view_product", "on /cart", "on /p/*/x*", "on *art", "of Home > Garden", "add_to_cart of Shoes"),
        *(
            "page_view on /blog/*",
            "add_to_cart on /p/* of Shoes",
            "video.play:half-way of Shoes",
            "/cart",
            "Add to cart",
            "on cart",
            "of",
            "on",
            "",
            "a b",
        ),
        *("on /a*b*c*d*", "x" * 201, "of on /x", "'; drop table funnels", "on /" + "a" * 300),
    ],
)
def test_the_page_and_the_file_read_the_same_steps(line: str) -> None:
    try:
        [found, _] = own_steps.parsed(f"{line}\nview_product")
    except Problem:
        assert not funnel_file.step(line)
    else:
        assert funnel_file.step(line) == found
        assert own_steps.parsed(f"{own_steps.told(found)}\nview_product")[0] == found


@pytest.mark.parametrize(("unit", "within"), [("session", "session"), ("visitor", "session"), ("person", "7 days")])
def test_the_cards_are_what_the_function_says(site: Site, unit: str, within: str) -> None:
    view = VIEW.with_option("steps", STEPS).with_option("own-unit", unit).with_option("own-within", within)
    steps = json.dumps([{"page": "/product/*"}, {"event": "add_to_cart"}, {"event": "checkout"}])
    expected = site.rows(FUNNEL, steps=steps, unit=unit, within=None if within == "session" else within)
    frame = ask(site, own_funnel_rows.steps, view)
    assert list(enumerate(frame["reached"], 1)) == expected
    assert frame["reached"].iat[2] > 10
    parts = ask(site, own_funnel_rows.breakdown, view)
    assert [sum(counts) for counts in zip(*parts["reached"], strict=True)] == list(frame["reached"])
    boxes = ask(site, own_funnel_rows.numbers, view, view.period)
    assert boxes["overall"] == pytest.approx(expected[2][1] / expected[0][1])


def test_without_steps_it_is_the_funnel_of_the_shop(site: Site) -> None:
    counts = site.rows(
        "select sum(sessions) from agg_daily_funnel where not is_bot and local_date between '2026-03-06' and '2026-03-19' "
        "group by step order by step"
    )
    assert list(ask(site, own_funnel_rows.steps, VIEW)["reached"]) == [n for (n,) in counts]


def test_filters_mean_the_session_of_the_first_step(site: Site) -> None:
    view = VIEW.with_option("own-unit", "visitor").with_option("own-within", "7 days").with_option("own-by", "device")
    whole = ask(site, own_funnel_rows.breakdown, view).set_index("value")
    mobile = ask(site, own_funnel_rows.breakdown, replace(view, device=("mobile",)))
    assert list(mobile["value"]) == ["mobile"]
    assert mobile["entered"].iat[0] >= whole.loc["mobile", "entered"] > 0


def test_nobody_at_the_first_step_is_told_in_words(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=own_funnel&steps={quote('no_such_event' + chr(10) + 'purchase')}")
    settled(page)
    expect(page.locator("[id='own_funnel_steps-notice']")).to_contain_text("Is it written as the shop sends it?")


def test_what_is_typed_is_in_the_address_and_can_be_kept(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=own_funnel&from=2026-03-06&to=2026-03-19")
    settled(page)
    area = page.locator("[id='own_funnel_steps_editor-lines']")
    expect(area).to_have_value("view_product\nadd_to_cart\ncheckout\npurchase")
    area.fill("on /product/*\n")
    page.locator(".editor [data-step='add_to_cart']").click()
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**steps=on+%2Fproduct%2F%2A%0Aadd_to_cart**")
    settled(page)
    frame = ask(site, own_funnel_rows.steps, VIEW.with_option("steps", "on /product/*\nadd_to_cart"))
    box = page.locator("[id='own_funnel_boxes-entered'] .value-box-value span[title]").first
    expect(box).to_have_attribute("title", f"{frame['reached'].iat[0]:,}")
    [entry] = yaml.safe_load(page.locator(".editor pre").text_content() or "")["funnels"]
    assert funnel_file.read(yaml.safe_dump({"funnels": [entry]}))[0][2] == [
        {"page": "/product/*"},
        {"event": "add_to_cart"},
    ]
    page.go_back()
    expect(area).to_have_value("view_product\nadd_to_cart\ncheckout\npurchase")


def test_a_saved_funnel_is_chosen_by_its_label(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=own_funnel")
    settled(page)
    page.locator("[id='own_funnel_steps_editor-saved']").select_option(
        label="From a product to the order, within a week"
    )
    expect(page.locator("[id='own_funnel_steps_editor-lines']")).to_have_value("view_product\nadd_to_cart\npurchase")
    page.wait_for_url("**own-unit=person&own-within=7+days&steps=**")
    settled(page)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("Add to cart\npurchase", "'Add to cart' is no step. A step is the name of an event"),
        ("on /a*b*c*d*\npurchase", "has more than 3 stars"),
        ("purchase", "A funnel has from two steps to 8"),
        ("<img src=x onerror=alert(1)>\npurchase", "'<img src=x onerror=alert(1)>' is no step"),
    ],
)
def test_steps_that_are_none_get_a_sentence(site: Site, page: Page, steps: str, said: str) -> None:
    page.goto(f"{site.url}?page=own_funnel&steps={quote(steps)}")
    settled(page)
    expect(page.locator("[id='own_funnel_steps-notice']")).to_contain_text(said)
    expect(page.locator("[id='own_funnel_steps_editor-lines']")).to_have_value(steps)
