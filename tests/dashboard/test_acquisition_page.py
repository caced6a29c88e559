"""Acquisition against sessions and orders: where they came from, and what became of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

from clickstream_dagster.cli.serving import reader_environment
from dashboard_site import Site, settled
from pages import acquisition, acquisition_rows
from periods import Period
from queries import Warehouse, dsn
from view import View

FIRST = date(2026, 2, 13)
VIEW = View("acquisition", Period(date(2026, 3, 6), date(2026, 3, 19)), FIRST)
ONE_DAY = Period(date(2026, 3, 19), date(2026, 3, 19))
VIEWS = [
    VIEW,
    replace(VIEW, bots=True, period=ONE_DAY),
    replace(VIEW, channel=("direct", "organic search"), device=("desktop", "tablet")),
    replace(VIEW, country=("US",), bots=True, period=Period(FIRST, date(2026, 3, 20))),
]
_CHOSEN = """(%(bots)s or not s.is_bot)
    and (%(channels)s::text[] is null or s.channel = any(%(channels)s))
    and (%(devices)s::text[] is null or coalesce(s.device_type, '(none)') = any(%(devices)s))
    and (%(countries)s::text[] is null or coalesce(s.country, '(none)') = any(%(countries)s))"""
_ORIGIN = """s.channel, coalesce(s.source, '(none)') as source, coalesce(s.medium, '(none)') as medium,
    coalesce(s.campaign, '(none)') as campaign"""
SESSIONS = f"""
    select {_ORIGIN}, s.local_date, s.started_at at time zone 'Europe/Berlin', s.is_bounce, s.is_engaged, s.purchase_count > 0,
        s.entry_path, not exists (
            select from fact_sessions as o where o.visitor_id = s.visitor_id and o.started_at < s.started_at
        )
    from fact_sessions as s where s.local_date between %(start)s and %(end)s and {_CHOSEN}
"""
ORDERS = f"""
    select {_ORIGIN}, o.currency, o.revenue from fact_orders as o inner join fact_sessions as s using (session_key)
    where o.local_date between %(start)s and %(end)s and {_CHOSEN.replace("s.is_bot", "o.is_bot")}
"""
KEYS = {
    "channel": lambda frame: frame["channel"],
    "source": lambda frame: frame["source"],
    "medium": lambda frame: frame["medium"],
    "campaign": lambda frame: frame["campaign"],
    "source-medium": lambda frame: frame["source"] + " / " + frame["medium"],
}


def told(site: Site, view: View) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The sessions and the orders of a view, one by one."""
    origin = ["channel", "source", "medium", "campaign"]
    sessions = site.rows(SESSIONS, **view.parameters())
    names = [*origin, "day", "at", "is_bounce", "is_engaged", "is_buying", "entry", "is_new"]
    orders = pd.DataFrame(site.rows(ORDERS, **view.parameters()), columns=[*origin, "currency", "revenue"])
    return pd.DataFrame(sessions, columns=names).pipe(one_source, site, view), orders.pipe(one_source, site, view)


def one_source(frame: pd.DataFrame, site: Site, view: View) -> pd.DataFrame:
    """google.com is google where a link of the period is tagged with that."""
    period = view.parameters()
    tags = (
        "select distinct source from fact_sessions where local_date between %(start)s and %(end)s and source !~ '[.]'"
    )
    tagged = {source for (source,) in site.rows(tags, **period)}
    names = [source.split(".")[-2] if "." in source else source for source in frame["source"]]
    told = [name if name in tagged else source for name, source in zip(names, frame["source"], strict=True)]
    return frame.assign(website=frame["source"], source=told)


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


def usd(orders: pd.DataFrame) -> Any:
    return orders["revenue"][orders["currency"] == "USD"].sum()


@pytest.mark.parametrize("view", VIEWS)
def test_origins_and_totals_are_those_of_sessions_and_orders(site: Site, view: View) -> None:
    sessions, orders = told(site, view)
    for by, key in KEYS.items():
        frame = ask(site, acquisition_rows.origins, view, by).set_index("value")
        counted = Counter(key(sessions))
        if by == "campaign":
            counted.pop("(none)", None)
        assert {name: n for name, n in frame["sessions"].items() if n} == counted
        assert list(frame["sessions"]) == sorted(frame["sessions"], reverse=True)
        for name, row in frame.iterrows():
            of, bought = sessions[key(sessions) == name], orders[key(orders) == name]
            assert row["revenue"] == usd(bought)
            assert row["orders"] == len(bought)
            if len(of):
                assert row["share"] == pytest.approx(len(of) / len(sessions))
                rates = ("is_new", "is_bounce", "is_engaged", "is_buying")
                shown = [row[rate] for rate in ("new_share", "bounce_rate", "engaged_rate", "conversion")]
                assert shown == pytest.approx([of[rate].mean() for rate in rates])
    _, boxes = ask(site, acquisition._period, view)
    value = {box.id: box.value for box in boxes}
    assert value["sessions"] == len(sessions)
    assert value["new_share"] == pytest.approx(sessions["is_new"].mean())
    assert value["conversion"] == pytest.approx(sessions["is_buying"].mean())
    assert value["revenue"] == usd(orders)


@pytest.mark.parametrize("view", VIEWS)
def test_landing_pages_and_referrers_are_those_of_the_sessions(site: Site, view: View) -> None:
    sessions, _ = told(site, view)
    landings = ask(site, acquisition_rows.landings, view)
    entries = Counter(sessions["entry"].dropna())
    assert dict(zip(landings["page_path"], landings["entries"], strict=True)) == dict(entries.most_common(100))
    top = landings.iloc[0]
    began = sessions[sessions["entry"] == top["page_path"]]
    assert (top["bounce_rate"], top["conversion"]) == pytest.approx(
        (began["is_bounce"].mean(), began["is_buying"].mean())
    )
    sites = sessions[sessions["website"].str.contains(".", regex=False)]
    referrers = ask(site, acquisition_rows.referrers, view)
    found = {(row.value, row.channel): row.sessions for row in referrers.itertuples()}
    assert found == Counter(zip(sites["website"], sites["channel"], strict=True))


@pytest.mark.parametrize("view", VIEWS)
def test_landing_pages_that_convert_best_have_enough_visits(site: Site, view: View) -> None:
    sessions, _ = told(site, view)
    of_page = sessions.groupby("entry")["is_buying"].agg(["count", "mean"])
    enough = of_page[of_page["count"] >= 30]
    best = ask(site, acquisition_rows.landings, view, "conversion")
    assert len(best) == min(100, len(enough))
    assert list(best["conversion"]) == pytest.approx(sorted(enough["mean"], reverse=True)[:100])
    if len(best):
        assert best["entries"].min() >= 30
        name = best["page_path"].iloc[0]
        assert best["conversion"].iloc[0] == pytest.approx(enough["mean"][name])


@pytest.mark.parametrize("view", VIEWS)
def test_spans_of_time_add_up(site: Site, view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions, _ = told(site, view)
    period = view.period
    at = sessions["at"].dt.floor("h") if period.days == 1 else sessions["day"]
    frame = ask(site, acquisition_rows.new_and_returning, view)
    assert len(frame) == (24 if period.days == 1 else period.days)
    assert {when: n for when, n in zip(frame["at"], frame["sessions"], strict=True) if n} == Counter(at)
    assert frame["new_visitors"].sum() == sessions["is_new"].sum()
    channels = ask(site, acquisition_rows.channels_over_time, view)
    largest = Counter(sessions["channel"]).most_common(acquisition_rows.CHANNELS)
    shown = channels.groupby("channel")["sessions"].sum().to_dict()
    assert sorted(shown.values()) == sorted(
        [*(n for _, n in largest), *([len(sessions) - sum(n for _, n in largest)] if "other" in shown else [])]
    )
    assert len(acquisition._draw_trend(channels, view).data) == acquisition_rows.CHANNELS + 1
    monkeypatch.setattr(acquisition_rows, "LONGEST_IN_DAYS", 10)
    spans = ask(site, acquisition_rows.new_and_returning, view)
    assert spans["sessions"].sum() == len(sessions)
    if period.days > 10:
        assert spans["at"].iloc[-1] == period.end - timedelta(days=6)
        assert spans["at"].iloc[0] == period.start
        assert len(spans) == -(-period.days // 7)


def test_a_day_that_is_not_over_ends_with_its_last_hour(site: Site) -> None:
    frame = ask(
        site, acquisition_rows.new_and_returning, replace(VIEW, period=Period(date(2026, 3, 20), date(2026, 3, 20)))
    )
    assert frame["at"].iloc[0] == datetime(2026, 3, 20)
    assert frame["at"].iloc[-1] <= datetime(2026, 3, 20, 14)


def test_the_page_shows_them_and_a_click_filters_by_a_channel(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=acquisition&from=2026-03-06&to=2026-03-19&acquisition-by=source-medium")
    settled(page)
    sessions, _ = told(site, VIEW)
    box = page.locator("[id='acquisition_period-sessions'] .value-box-value span[title]").first
    expect(box).to_have_attribute("title", f"{len(sessions):,}")
    expect(page.locator("[id='acquisition_origins-acquisition_by-select']")).to_have_value("source-medium")
    origins = controller.OutputDataFrame(page, "acquisition_origins-table")
    first = ask(site, acquisition._origins, VIEW.with_option("acquisition-by", "source-medium")).iloc[0]
    origins.expect_cell(first["value"], row=0, col=0)
    origins.expect_cell(f"{first['sessions']:,}", row=0, col=1)
    by_revenue = ask(site, acquisition._channels, VIEW)
    assert list(by_revenue["revenue"]) == sorted(by_revenue["revenue"], reverse=True)
    page.locator("[id='acquisition_channels-acquisition_show'] select").select_option("sessions")
    page.wait_for_url("**acquisition-show=sessions*")
    settled(page)
    page.locator("[id='acquisition_channels-face'] a[data-value=table]").click()
    channels = controller.OutputDataFrame(page, "acquisition_channels-table")
    second = Counter(sessions["channel"]).most_common(2)[1]
    channels.expect_cell(second[0], row=1, col=0)
    channels.select_rows([1])
    page.wait_for_url("**channel=*")
    settled(page)
    expect(box).to_have_attribute("title", f"{second[1]:,}")
