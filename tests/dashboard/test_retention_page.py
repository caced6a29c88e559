"""Retention against distinct counts of the sessions, window by window and week by week."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

from clickstream_dagster.cli.serving import reader_environment
from dashboard_site import Site, settled
from pages import active_visitors, cohorts, retention
from periods import Period
from queries import Warehouse, dsn
from view import View

FIRST, DAY = date(2026, 2, 13), timedelta(days=1)
VIEW = View("retention", Period(date(2026, 3, 10), date(2026, 3, 19)), FIRST)
VIEWS = [
    VIEW,
    replace(VIEW, bots=True),
    replace(VIEW, people=True),
    replace(VIEW, channel=("direct", "email"), device=("mobile",)),
    replace(VIEW, period=Period(date(2026, 3, 19), date(2026, 3, 19))),
    replace(VIEW, period=Period(FIRST, date(2026, 3, 20)), country=("US",), bots=True),
]


def seen(site: Site, view: View) -> pd.DataFrame:
    """Visitor and date of every day with an event, from the sessions, for the visitors of the view's filters; and their first."""
    sql = (
        "with firsts as (select distinct on (visitor_id) visitor_id, channel, coalesce(device_type, '(none)') as device, "
        "coalesce(country, '(none)') as country from fact_sessions order by visitor_id, started_at) "
        "select distinct s.visitor_id, d::date, f.channel, f.device, f.country from fact_sessions as s inner join firsts as f "
        "using (visitor_id) cross join generate_series(s.local_date, s.last_local_date, interval '1 day') as d "
        "where %(bots)s or not s.is_bot"
    )
    if view.people:
        sql = sql.replace("visitor_id", "person_id").replace("fact_sessions", "fact_person_sessions")
    rows = site.rows(sql, bots=view.bots)
    frame = pd.DataFrame(rows, columns=["visitor", "on", "channel", "device", "country"])
    for name in ("channel", "device", "country"):
        if getattr(view, name):
            frame = frame[frame[name].isin(getattr(view, name))]
    return frame.assign(first=frame.groupby("visitor")["on"].transform("min"))


def distinct(frame: pd.DataFrame, start: date, end: date) -> int:
    return int(frame[(frame["on"] >= start) & (frame["on"] <= end)]["visitor"].nunique())


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


@pytest.mark.parametrize("view", VIEWS)
def test_active_visitors_are_distinct_ones_of_each_window(site: Site, view: View) -> None:
    frame = seen(site, view)
    found = ask(site, active_visitors.active, view, view.period)
    assert list(found["at"]) == [view.period.start + place * DAY for place in range(view.period.days)]
    for row in found.itertuples():
        for name, days in active_visitors.WINDOWS.items():
            start = row.at - (days - 1) * DAY
            expected = distinct(frame, start, row.at) if start >= FIRST else None
            value = getattr(row, name)
            assert (None if pd.isna(value) else int(value)) == expected, (row.at, name)
    summary = ask(site, active_visitors.summary, view, view.period)
    visitors = frame[(frame["on"] >= view.period.start) & (frame["on"] <= view.period.end)].drop_duplicates("visitor")
    assert summary["returning"] == pytest.approx((visitors["first"] < view.period.start).mean())
    assert summary["dau"] == pytest.approx(found["dau"].astype(float).mean())


@pytest.mark.parametrize("view", VIEWS)
def test_a_cohort_is_the_visitors_of_its_week_and_those_that_came_back(site: Site, view: View) -> None:
    frame = seen(site, view)
    frame = frame[frame["on"] <= view.period.end].assign(
        week=frame["on"].map(cohorts.monday), cohort=frame["first"].map(cohorts.monday)
    )
    expected = frame.groupby(["cohort", "week"])["visitor"].nunique()
    found = ask(site, cohorts.triangle, view)
    shown = {(row.cohort, row.cohort + row.age * 7 * DAY): row.active for row in found.itertuples()}
    assert {key: count for key, count in shown.items() if count} == expected.to_dict()
    assert all(row.visitors == expected[row.cohort, row.cohort] for row in found.itertuples())
    weeks = ask(site, cohorts.new_and_returning, view)
    new = expected[[c == w for c, w in expected.index]]
    assert list(weeks["new"]) == list(new)
    assert list(weeks["new"] + weeks["returning"]) == list(frame.groupby("week")["visitor"].nunique())
    assert set(found["state"]) == {"over", "not over yet"}  # none of these periods ends with a Sunday
    assert all(retention_card(name).draw(rows, view) for name, rows in (("cohorts", found), ("new_returning", weeks)))


def retention_card(name: str) -> Any:
    return next(part for part in retention.PARTS if part.id == name)


def test_the_weeks_are_twelve_or_those_of_the_period_and_never_before_the_data() -> None:
    end = date(2026, 3, 19)
    old = replace(VIEW, first=date(2020, 1, 1))
    assert cohorts.weeks(old) == Period(date(2025, 12, 29), end)
    assert cohorts.weeks(replace(old, period=Period(date(2025, 12, 1), end))) == Period(date(2025, 12, 1), end)
    assert cohorts.weeks(replace(old, period=Period(date(2024, 1, 1), end))) == Period(date(2025, 9, 22), end)
    assert cohorts.weeks(VIEW) == Period(date(2026, 2, 9), end)


def test_nothing_is_said_of_windows_that_the_data_does_not_reach(site: Site) -> None:
    early = replace(VIEW, period=Period(date(2026, 2, 16), date(2026, 2, 17)))
    _, boxes = ask(site, retention._boxes, early)
    told = {box.id: (box.value, box.note) for box in boxes}
    assert told["wau"] == (None, "needs 7 days, there are 5")
    assert told["stickiness"] == (None, "needs 30 days, there are 5")
    assert ask(site, retention._stickiness, early).empty


def test_the_page_shows_them_and_keeps_its_option_in_the_url(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=retention&retention-show=count&from=2026-03-10&to=2026-03-19")
    settled(page)
    box = page.locator("[id='retention_active-mau'] .value-box-value span[title]").first
    month = distinct(seen(site, VIEW), date(2026, 2, 18), date(2026, 3, 19))
    expect(box).to_have_attribute("title", f"{month:,}")
    chosen = page.locator(
        "[id='retention_cohorts-retention_show'] select, select[id='retention_cohorts-retention_show']"
    )
    expect(chosen.first).to_have_value("count")
    found = ask(site, cohorts.triangle, VIEW)
    cells = page.locator("[id='retention_cohorts-chart'] .heatmap-label")
    expect(cells).to_have_count(int((found["age"] > 0).sum()))
    expect(cells.first).to_have_text(f"{found['active'][1]:,}")
    page.locator("[id='retention_cohorts-face']").get_by_text("Table").click()
    settled(page)
    table = controller.OutputDataFrame(page, "retention_cohorts-table")
    table.expect_cell(str(found["cohort"][0]), row=0, col=0)
    table.expect_cell(f"{found['visitors'][0]:,}", row=0, col=1)
