"""A rate says of how many it is, few are pale with their interval, and a change that may be chance says so: on every page."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from boxes import Box, Boxes, boxes_row
from cards import Card, Column, pale
from clickstream_dagster.cli.serving import reader_environment
from dashboard_site import PAGES, Site, settled
from formats import is_missing
from periods import Period
from queries import Warehouse, dsn
from view import View

VIEW = View("overview", Period(date(2026, 2, 27), date(2026, 3, 12)), date(2026, 2, 13))


def box(value: Any, before: Any, kind: str = "count", **more: Any) -> Box:
    return Box("b", "B", "order", value, before, kind=kind, **more)


@pytest.mark.parametrize(
    ("shown", "is_chance"),
    [
        (box(128, 100), True),
        (box(131, 100), False),
        (box(100, 100), False),  # unchanged is no change
        (box(12.8, 10.0), False),  # an average of days: nothing says how it spreads
        (box(0.059, 0.041, "percent", of=1_000, of_before=1_000), True),
        (box(0.060, 0.040, "percent", of=1_000, of_before=1_000), False),
        (box(0.060, 0.059, "percent"), False),  # of how many is not known
        (box(Decimal(1_300), Decimal(1_000), "money", of=100, of_before=100), True),
        (box(Decimal(1_800), Decimal(1_000), "money", of=100, of_before=100), False),
        (box(13.0, 10.0, "money", of=100, of_before=100, is_average=True), True),
        (box(16.0, 10.0, "money", of=100, of_before=100, is_average=True), False),
        (box(None, 10), False),
        (box(600, 900, "duration", of=5, of_before=5), False),
    ],
)
def test_a_change_that_may_be_chance(shown: Box, is_chance: bool) -> None:
    assert shown.may_be_chance is is_chance
    html = str(boxes_row("head", [shown], str, "card"))
    assert (", may be chance" in html) is is_chance
    assert ("delta even" in html) is (is_chance or not shown.is_judged)


def test_a_rate_says_of_how_many_and_is_pale_below_thirty() -> None:
    few, many = (str(boxes_row("head", [box(0.2, None, "percent", of=n)], str, "card")) for n in (10, 30))
    assert "of 10" in few
    assert 'class="few"' in few
    assert "95 %: 5.7 % to 51.0 %, of 10" in few
    assert 'class="few"' not in many
    assert "of 30" in many


def test_the_cells_of_few_are_pale_and_carry_their_interval() -> None:
    frame = pd.DataFrame({"rate": [0.2, 0.5, None, 1.5], "sessions": [10, 30, 0, 4]})
    columns = {"sessions": Column("Sessions", "count"), "rate": Column("Rate %", "percent", of="sessions")}
    assert pale(frame, columns) == [
        {"rows": [0], "cols": [1], "class": "number few between-567-5098-10"},
        {"rows": [3], "cols": [1], "class": "number few"},  # adds without a view: no rate of these
    ]


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


def is_part(rate: Any, whole: Any) -> bool:
    """Whether the rate is a whole number of these."""
    return is_missing(rate) or abs(float(rate) * float(whole) - round(float(rate) * float(whole))) < 1e-6


#: DAU / MAU is of visitors, but its part is the average of days.
AVERAGES = {("retention", "stickiness")}


@pytest.mark.parametrize("name", PAGES)
def test_what_a_rate_is_said_to_be_of_is_what_it_is_of(site: Site, name: str) -> None:
    view = replace(VIEW, page=name)
    for part in import_module(f"pages.{name}").PARTS:
        found = ask(site, part.rows, view)
        if isinstance(part, Card):
            for column, told in part.columns.items():
                if told.of is not None:
                    assert told.of in found or found.empty, (part.id, column)
                    pairs = [] if found.empty else zip(found[column], found[told.of], strict=True)
                    assert all(is_part(*pair) for pair in pairs), (part.id, column)
        elif isinstance(part, Boxes):
            for each in found[1]:
                if each.kind == "percent" and each.of is not None and (name, each.id) not in AVERAGES:
                    assert is_part(each.value, each.of), each.id
                    assert is_missing(each.before) or is_part(each.before, each.of_before), each.id


def test_a_pale_cell_shows_its_interval_on_the_hover_wherever_it_is_sorted_to(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=acquisition&from=2026-03-05&to=2026-03-06")
    settled(page)
    cell = page.locator("#acquisition_origins-table td.few").first
    cell.hover()
    expect(cell).to_have_attribute("title", re.compile(r"95 %: \d+\.\d\d % to \d+\.\d\d %, of \d+"))
    table = page.locator("#acquisition_origins-table")
    table.locator("th").filter(has_text="Sessions").click()  # from the least
    page.wait_for_timeout(300)
    for row in table.locator("tbody tr").all()[:5]:
        sessions = int(row.locator("td").nth(1).inner_text().replace(",", ""))
        classes = row.locator("td").nth(4).get_attribute("class") or ""
        assert ("few" in classes) == (sessions < 30)
        assert sessions >= 30 or classes.endswith(f"-{sessions}")
