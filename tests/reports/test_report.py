"""What a report says: the numbers of a week told by hand, those of the pages, and nothing that a visitor could make of it."""

from __future__ import annotations

import asyncio
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

import report as dashboard_report
from clickstream_dagster.dashboard import reader_environment
from clickstream_dagster.reports.making import NoReport, Report, make
from clickstream_dagster.reports.periods import BadPeriod, ended, named
from clickstream_dagster.stack import Stack
from pages import overview
from periods import Period
from queries import Warehouse, dsn
from support.stories import rows
from view import View

WEEK = named("2026-W16")
EXPECTED = Path(__file__).parent / "week-16.txt"
DASHBOARD = "https://numbers.shop.example/sbw_dashboard"


class Seen(HTMLParser):
    """The tags of a page, where it leads to, and what is read on it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


@pytest.fixture(scope="module")
def made(shop: Stack) -> Report:
    return make(shop, WEEK, DASHBOARD)


def test_a_week_told_by_hand(made: Report) -> None:
    assert made.headline == "Week 16 of 2026: 95.50 USD, 3 orders"
    assert made.text == EXPECTED.read_text(), made.text


def test_the_numbers_are_those_of_the_page(shop: Stack) -> None:
    """The same parts, the same rows; and the same as the tables say."""

    async def both() -> tuple[dashboard_report.Report, list[object]]:
        warehouse = Warehouse(dsn(reader_environment(shop)))
        period = Period(WEEK.start, WEEK.end)
        told = await dashboard_report.report(warehouse, period, WEEK.title, None)
        view = View("overview", period, date(2026, 4, 6), date(2026, 4, 20), preset="custom")
        [part] = [part for part in overview.PARTS if part.id == "period"]
        _, boxes = await part.rows(warehouse, view)
        return told, [box.value for box in boxes]

    told, shown = asyncio.run(both())
    assert [box.value for box in told.told[0].boxes] == shown[:6]
    [(sessions, orders, revenue)] = rows(
        shop,
        """
        select count(*), sum(purchase_count), (select sum(revenue) from fact_orders where local_date between %s and %s)
        from fact_sessions where local_date between %s and %s
        """,
        *(WEEK.start, WEEK.end) * 2,
    )
    assert shown[1:5:2] == [sessions, orders]
    assert shown[4] == revenue


def test_a_visitor_s_text_is_text(made: Report) -> None:
    seen = Seen(made.html)
    assert seen.tags.isdisjoint({"img", "script", "iframe", "form", "svg", "object", "link"})
    assert not any(name.startswith("on") for name in seen.attributes)
    assert seen.links == [f"{DASHBOARD}/?page=overview&from=2026-04-13&to=2026-04-19"]
    assert "<img src=x onerror=alert(1)>" in seen.text.replace("\u200b", "")
    assert all("win.\u200bexample" in read for read in (seen.text, made.text))
    for read in (seen.text, made.text, made.headline):
        assert "win.example" not in read, "a mail program would make a link of it"
        assert "\u202e" not in read
        assert "\nBcc" not in read
        assert "\r" not in read


def test_a_mail_program_shows_it(made: Report) -> None:
    """No style sheet that it would drop is needed: all that is seen has its style beside it. Gmail cuts at 102 KB."""
    style = made.html[made.html.index("<style>") : made.html.index("</style>")]
    assert "{size:A4" in style
    assert "class=" not in made.html
    assert len(made.html.encode()) < 60_000


def test_what_cannot_be_reported_says_why(shop: Stack, stack: Stack) -> None:
    with pytest.raises(
        NoReport, match=r"There is no event of 1 – 31 Jan 2026: they reach from 2026-04-06 to 2026-04-20"
    ):
        make(shop, named("2026-01"), None)


def test_an_empty_warehouse_has_none(stack: Stack) -> None:
    with pytest.raises(NoReport, match="No events yet"):
        make(stack, WEEK, None)


def test_periods() -> None:
    assert (WEEK.start, WEEK.end) == (date(2026, 4, 13), date(2026, 4, 19))
    assert (named("2024-02").end, named("2025-12").end) == (date(2024, 2, 29), date(2025, 12, 31))
    assert (named("2026-W53").start, named("2026-W53").end) == (date(2026, 12, 28), date(2027, 1, 3))
    assert ended("weekly", date(2027, 1, 4)).name == "2026-W53"
    assert ended("weekly", date(2027, 1, 3)).name == "2026-W52"
    assert ended("monthly", date(2027, 1, 1)).name == "2026-12"
    for wrong in ("2025-W53", "2026-13", "october", "2026", "٢٠٢٦-10", "2026-W00"):
        with pytest.raises(BadPeriod, match="is no week or month"):
            named(wrong)
