"""Search against the events: what was searched for, clicked and bought after it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

from clickstream_dagster.cli.serving import reader_environment
from dashboard_site import Site, settled
from pages import search, search_rows
from periods import Period
from queries import Warehouse, dsn
from view import View

FIRST = date(2026, 2, 13)
VIEW = View("search", Period(date(2026, 3, 6), date(2026, 3, 19)), FIRST)
VIEWS = [
    VIEW,
    replace(VIEW, bots=True, period=Period(date(2026, 3, 19), date(2026, 3, 19))),
    replace(VIEW, channel=("direct", "paid search"), device=("desktop",)),
    replace(VIEW, country=("US",), period=Period(FIRST, date(2026, 3, 20))),
]
#: Events of the sessions with a search, in order, from the raw table.
EVENTS = """
    select s.session_key, e.event_name, lower(btrim(regexp_replace(e.search_query, '\\s+', ' ', 'g'))), e.props ->> 'results'
    from fact_sessions as s
    inner join clickstream_events as e on e.visitor_id = s.visitor_id and e.event_timestamp between s.started_at and s.ended_at
    where s.local_date between %(start)s and %(end)s and (%(bots)s or not s.is_bot)
        and (%(channels)s::text[] is null or s.channel = any(%(channels)s))
        and (%(devices)s::text[] is null or coalesce(s.device_type, '(none)') = any(%(devices)s))
        and (%(countries)s::text[] is null or coalesce(s.country, '(none)') = any(%(countries)s))
    order by s.session_key, e.event_timestamp, e.event_name <> 'search', e.event_id
"""


def told(site: Site, view: View) -> dict[str, dict[str, Any]]:
    """Of each term: searches, clicked and resultless ones, and its sessions; counted by walking through the events."""
    terms: dict[str, dict[str, Any]] = defaultdict(lambda: {"searches": 0, "clicked": 0, "empty": 0, "sessions": set()})
    current, is_open = (None, ""), False
    for session, name, term, results in site.rows(EVENTS, **view.parameters()):
        if name == "search" and term:
            current, is_open = (session, term), True
            terms[term]["searches"] += 1
            terms[term]["empty"] += results == "0"
            terms[term]["sessions"].add(session)
        elif name in ("click", "view_product") and is_open and current[0] == session:
            terms[current[1]]["clicked"] += 1
            is_open = False
    return terms


def bought(site: Site, view: View) -> dict[str, Decimal]:
    """Revenue by currency of orders with a search before them in their session."""
    return dict(
        site.rows(
            "select o.currency, sum(o.revenue) from fact_orders as o "
            "inner join fact_sessions as s on s.session_key = o.session_key "
            "where o.local_date between %(start)s and %(end)s and (%(bots)s or not s.is_bot) "
            "and (%(channels)s::text[] is null or s.channel = any(%(channels)s)) "
            "and (%(devices)s::text[] is null or coalesce(s.device_type, '(none)') = any(%(devices)s)) "
            "and (%(countries)s::text[] is null or coalesce(s.country, '(none)') = any(%(countries)s)) "
            "and exists (select from clickstream_events as e where e.visitor_id = s.visitor_id and e.event_name = 'search' "
            "and e.event_timestamp between s.started_at and o.ordered_at and btrim(e.search_query) <> '') group by o.currency",
            **view.parameters(),
        )
    )


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


@pytest.mark.parametrize("view", VIEWS)
def test_terms_and_totals_are_those_of_the_events(site: Site, view: View) -> None:
    terms, money = told(site, view), bought(site, view)
    frame = ask(site, search_rows.terms, view)
    shown = {row.term: row for row in frame.itertuples() if row.searches}
    assert {name: row.searches for name, row in shown.items()} == {name: of["searches"] for name, of in terms.items()}
    for name, of in terms.items():
        assert shown[name].clicked_share == pytest.approx(of["clicked"] / of["searches"])
        assert shown[name].without_results_share == pytest.approx(of["empty"] / of["searches"])
        assert shown[name].sessions == len(of["sessions"])
    assert sum(frame["revenue"]) == money.get("USD", 0)
    _, boxes = ask(site, search._boxes, view)
    value = {box.id: box.value for box in boxes}
    searches = sum(of["searches"] for of in terms.values())
    assert value["searches"] == searches
    assert value["unclicked_share"] == pytest.approx(1 - sum(of["clicked"] for of in terms.values()) / searches)
    assert value["without_results_share"] == pytest.approx(sum(of["empty"] for of in terms.values()) / searches)
    assert value["sessions"] == len(set().union(*(of["sessions"] for of in terms.values())))
    assert value["revenue"] == money.get("USD", 0)


def test_new_terms_have_no_search_in_the_comparison(site: Site) -> None:
    view = replace(VIEW, period=Period(date(2026, 3, 19), date(2026, 3, 19)))
    assert view.before
    new = set(told(site, view)) - set(told(site, replace(view, period=view.before)))
    assert set(ask(site, search_rows.new_terms, view)["term"]) == new
    assert new
    assert ask(site, search_rows.new_terms, replace(view, compare="none")).empty


def test_the_trend_adds_up_and_so_does_its_comparison(site: Site) -> None:
    frame = ask(site, search_rows.trend, VIEW)
    assert VIEW.before
    for name, view in (("searches", VIEW), ("before", replace(VIEW, period=VIEW.before))):
        assert frame[name].sum() == sum(of["searches"] for of in told(site, view).values())
    assert not frame["is_open"].any()


def test_the_page_shows_the_first_terms_and_those_nobody_clicked(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=search&from=2026-03-06&to=2026-03-19&device=mobile")
    settled(page)
    terms = told(site, replace(VIEW, device=("mobile",)))
    box = page.locator("[id='search_totals-searches'] .value-box-value span[title]").first
    expect(box).to_have_attribute("title", f"{sum(of['searches'] for of in terms.values()):,}")
    first = min(terms, key=lambda name: (-terms[name]["searches"], name))
    table = controller.OutputDataFrame(page, "search_terms-table")
    table.expect_cell(first, row=0, col=0)
    table.expect_cell(f"{terms[first]['searches']:,}", row=0, col=1)
    page.locator("[id='search_unclicked-face']").get_by_text("Table").click()
    settled(page)
    missed = {name: of["searches"] - of["clicked"] for name, of in terms.items()}
    worst = min(missed, key=lambda name: (-missed[name], name))
    unclicked = controller.OutputDataFrame(page, "search_unclicked-table")
    unclicked.expect_cell(worst, row=0, col=0)
    unclicked.expect_cell(f"{missed[worst]:,}", row=0, col=1)
