"""Reliability against the raw tables: what was received, what became of it, and which hours are not there."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

import banner
import health
from clickstream_dagster.cli.serving import reader_environment
from dashboard_site import Site, settled
from pages import ledger, reliability
from periods import Period
from queries import Warehouse, dsn
from view import View

FIRST, BERLIN = date(2026, 2, 13), ZoneInfo("Europe/Berlin")
VIEW = View("reliability", Period(date(2026, 3, 6), date(2026, 3, 19)), FIRST)
DAY = replace(VIEW, period=Period(date(2026, 3, 19), date(2026, 3, 19)))
LAST = replace(VIEW, period=Period(date(2026, 3, 19), date(2026, 3, 20)))


def span(view: View) -> dict[str, datetime]:
    """The period's moments, by Berlin's clock."""
    start, end = view.period.start, view.period.end
    return {
        "start": datetime(start.year, start.month, start.day, tzinfo=BERLIN),
        "end": datetime(end.year, end.month, end.day + 1, tzinfo=BERLIN),
    }


def counted(site: Site, view: View) -> dict[str, int]:
    """Each number from its own table."""
    hours = "partition_hour >= %(start)s and partition_hour < %(end)s"
    queries = {
        "received": "select coalesce(sum(line_count), 0) from raw_objects where",
        "loaded": "select count(*) from clickstream_events where",
        "late": "select count(*) from clickstream_events where received_at > event_timestamp + interval '1 hour' and",
        "duplicate": "select count(*) from duplicate_events where",
        "rejected": "select count(*) from rejected_events where",
    }
    return {name: site.rows(f"{query} {hours}", **span(view))[0][0] for name, query in queries.items()}


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


@pytest.mark.parametrize("view", [VIEW, DAY, LAST, replace(DAY, device=("mobile",), channel=("email",), bots=True)])
def test_the_ledger_is_what_the_tables_hold_whatever_the_filters(site: Site, view: View) -> None:
    expected = counted(site, view)
    _, boxes = ask(site, reliability._boxes, view)
    value = {box.id: box.value for box in boxes}
    assert (value["received"], value["books"]) == (expected["received"], 0)
    assert value["late"] == pytest.approx(expected["late"] / expected["loaded"])
    assert value["duplicate"] == pytest.approx(expected["duplicate"] / expected["received"])
    assert value["rejected"] == pytest.approx(expected["rejected"] / expected["received"])
    days = {"start": view.period.start, "end": view.period.end}
    [(bots, sessions)] = site.rows(
        "select count(*) filter (where is_bot), count(*) from fact_sessions where local_date between %(start)s and %(end)s",
        **days,
    )
    assert value["bots"] == pytest.approx(bots / sessions)
    for by in ("day", "hour"):
        frame = ask(site, ledger.ledger, view.with_option("ledger-by", by))
        assert {name: frame[name].sum() for name in expected} == expected
        assert set(frame["balance"]) == {"balanced"}
        assert len(reliability.PARTS[1].draw(frame, view).data) == 3
    assert ask(site, ledger.reasons, view)["events"].sum() == expected["rejected"]


def test_hours_are_told_by_the_shops_clock(site: Site) -> None:
    frame = ask(site, ledger.ledger, DAY.with_option("ledger-by", "hour"))
    assert (frame["when"].iloc[0], frame["when"].iloc[-1]) == ("2026-03-19 00:00 CET", "2026-03-19 23:00 CET")
    assert frame["at"].iloc[0] == datetime(2026, 3, 19)
    assert ledger.told(datetime(2026, 3, 29, 1, tzinfo=UTC), "Europe/Berlin") == "2026-03-29 03:00 CEST"


def test_samples_are_the_latest_rejects_and_their_bytes_are_text(site: Site) -> None:
    frame = ask(site, ledger.samples, VIEW)
    rows = site.rows(
        "select code, message, body from rejected_events where partition_hour >= %(start)s and partition_hour < %(end)s "
        "order by partition_hour desc limit 100",
        **span(VIEW),
    )
    assert sorted(frame["code"]) == sorted(code for code, _, _ in rows)
    assert all(len(body) <= 200 for body in frame["body"])
    assert set(frame["body"]) <= {
        body[:200] for _, _, body in site.rows("select code, message, body from rejected_events")
    }


def test_hours_that_should_be_there_and_are_not_are_gaps(site: Site) -> None:
    frame = ask(site, ledger.missing, LAST)
    assert frame[["first", "until", "hours"]].to_numpy().tolist() == [
        ["2026-03-20 15:00 CET", "2026-03-21 00:00 CET", 9]
    ]
    assert ask(site, ledger.missing, VIEW).empty


def test_the_page_says_it_all(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=reliability&from=2026-03-06&to=2026-03-19&ledger-by=hour")
    settled(page)
    expected = counted(site, VIEW)
    box = page.locator("[id='reliability_state-received'] .value-box-value span[title]").first
    expect(box).to_have_attribute("title", f"{expected['received']:,}")
    expect(page.locator("[id='reliability_state-freshness'] .box-note")).to_have_text("beyond the aim of 2.0 h")
    expect(page.locator("[id='reliability_missing-notice']")).to_contain_text("None: every hour")
    page.locator("[id='reliability_ledger-face']").get_by_text("Table").click()
    settled(page)
    table = controller.OutputDataFrame(page, "reliability_ledger-table")
    table.expect_cell("2026-03-06 00:00 CET", row=0, col=0)
    table.expect_cell("balanced", row=0, col=8)
    runs = dict(site.rows("select model, added from model_runs"))
    model = page.locator("[id='reliability_runs-table'] tbody tr").first.locator("td")
    name = model.first.inner_text().strip("\u2068\u2069")
    assert model.last.inner_text() == f"{runs[name]:,}"


def test_test_visits_are_told_in_words_where_there_are_any(site: Site) -> None:
    def told() -> list[tuple[Any, str]]:
        return [(box.value, box.note) for box in ask(site, reliability._boxes, VIEW)[1] if box.id == "canary"]

    assert told() == []
    note = "insert into canary_notes values (%(name)s, now() - %(ago)s::interval, %(steps)s, '200') returning name"
    try:
        site.rows(note, name="a", ago="1 hour", steps=["page_view"])
        assert told() == [(None, "the first is on its way")]
        site.rows(note, name="b", ago="3 hours", steps=["page_view"])
        assert told() == [(None, "1 of the last 1 came late or not whole: clickstream canary")]
    finally:
        site.rows("delete from canary_notes returning name")


def test_a_dot_in_the_bar_says_it_too_and_leads_here(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=funnel&period=7d")
    settled(page)
    dot = page.locator(".health")
    expect(dot).to_have_text(re.compile(r"^[\d.]+ d old, nothing is lost$"))
    expect(dot).to_have_class(re.compile("late"))
    dot.click()
    page.wait_for_url("**page=reliability&period=7d")


@pytest.mark.parametrize(
    ("age", "books", "tone", "words"),
    [
        (1, 0, "good", "Fresh, nothing is lost"),
        (3, 0, "late", "3.0 h old, nothing is lost"),
        (1, 2, "bad", "Fresh, events are missing"),
    ],
)
def test_the_dot_tells_fresh_from_late_and_whole_from_wrong(
    site: Site, monkeypatch: pytest.MonkeyPatch, age: int, books: int, tone: str, words: str
) -> None:
    [(complete_to,)] = site.rows("select complete_to from data_freshness")
    bounds = ask(site, banner.bounds)

    async def off(*_: Any) -> dict[str, int]:
        return {"books": books}

    if books:
        monkeypatch.setattr(health, "totals", off)
    shown = ask(site, health.health, bounds, complete_to + timedelta(hours=age))
    assert tone in shown.attrs["class"]
    assert re.sub("<[^>]+>|\\s+(?=<)|\n *", "", str(shown)).strip() == words
