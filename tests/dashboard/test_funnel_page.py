"""The funnel against the events: every session and every visitor, walked one event at a time."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

import flow_charts
from cards import Card
from clickstream_dagster.cli.serving import reader_environment
from dashboard_site import Site, settled
from pages import funnel, funnel_rows
from periods import Period
from queries import Warehouse, dsn
from view import View

FIRST = date(2026, 2, 13)
VIEW = View("funnel", Period(date(2026, 3, 6), date(2026, 3, 19)), FIRST)
VIEWS = [
    VIEW,
    replace(VIEW, channel=("direct", "organic search"), device=("mobile",), period=Period(FIRST, date(2026, 3, 20))),
    replace(VIEW, bots=True, country=("US", "DE")),
    replace(VIEW, bots=True, period=Period(date(2026, 3, 20), date(2026, 3, 20))),
]
NOBODY = replace(VIEW, channel=("no such channel",))
STEPS = ("view_product", "add_to_cart", "checkout", "purchase")
WINDOW = timedelta(days=7)
EVENTS = """
    select s.session_key::text, s.visitor_id, s.local_date, s.is_bot, s.channel, coalesce(s.device_type, '(none)'),
        coalesce(s.country, '(none)'), e.event_name, e.event_timestamp,
        e.product_category, e.order_items
    from fact_sessions as s
    inner join clickstream_events as e on e.visitor_id = s.visitor_id and e.event_timestamp between s.started_at and s.ended_at
    where e.event_name = any(%(steps)s)
    order by e.event_timestamp, array_position(%(steps)s, e.event_name), e.event_id
"""


@dataclass(frozen=True)
class Event:
    """One step that somebody took."""

    session: str
    visitor: str
    day: date
    is_bot: bool
    channel: str
    device: str
    country: str
    name: str
    at: datetime
    category: str | None
    items: list[dict[str, Any]] | None

    @property
    def categories(self) -> set[str]:
        """What it names: of its product, and of the things in its cart or order."""
        return {name for name in (self.category, *(item.get("category") for item in self.items or ())) if name}

    def is_in(self, view: View) -> bool:
        """Whether a view has its session, whatever the period."""
        chosen = ((view.channel, self.channel), (view.device, self.device), (view.country, self.country))
        return (view.bots or not self.is_bot) and all(not values or value in values for values, value in chosen)


@dataclass(frozen=True)
class Entry:
    """A session or a visitor in the funnel: its first event there, and when it took each step."""

    first: Event
    times: list[datetime]

    @property
    def seconds(self) -> int | None:
        done = len(self.times) == len(STEPS)
        return int((self.times[-1] - self.times[0]).total_seconds()) if done else None


def walked(events: list[Event]) -> list[datetime]:
    """When each step was taken, one after the other."""
    times: list[datetime] = []
    for event in events:
        if len(times) < len(STEPS) and event.name == STEPS[len(times)]:
            times.append(event.at)
    return times


def entries(events: list[Event], view: View, period: Period) -> list[Entry]:
    """Who entered, by the view's unit."""
    if funnel_rows.is_by_visitor(view):
        return list(visitors(events, view, period))
    sessions: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if period.start <= event.day <= period.end and event.is_in(view):
            sessions[event.session].append(event)
    found = [Entry(own[0], walked(own)) for own in sessions.values()]
    return [entry for entry in found if entry.times]


def visitors(events: list[Event], view: View, period: Period) -> Any:
    """Each once: from the first step of the first day in the period with one, its people before its bots."""
    own: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        own[event.visitor].append(event)
    for mine in own.values():
        starts = [e for e in mine if e.name == STEPS[0] and period.start <= e.day <= period.end]
        starts = [e for e in starts if view.bots or not e.is_bot]
        first = min(starts, key=lambda e: (e.day, e.is_bot, e.at), default=None)
        if first and first.is_in(view):
            after = [e for e in mine if e.is_bot == first.is_bot and first.at <= e.at <= first.at + WINDOW]
            yield Entry(first, walked(after))


def reached(found: list[Entry]) -> list[int]:
    return [sum(len(entry.times) > place for entry in found) for place in range(len(STEPS))]


@pytest.fixture(scope="session")
def events(site: Site) -> list[Event]:
    """Every step of everybody, in order."""
    return [Event(*row) for row in site.rows(EVENTS, steps=list(STEPS))]


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


@pytest.mark.parametrize("unit", ["session", "visitor"])
@pytest.mark.parametrize("view", VIEWS)
def test_steps_and_boxes_are_those_of_the_events(site: Site, events: list[Event], view: View, unit: str) -> None:
    view = view.with_option("funnel-unit", unit)
    found = entries(events, view, view.period)
    counts = reached(found)
    frame = ask(site, funnel_rows.steps, view)
    assert list(frame["step"]) == ["View product", "Add to cart", "Checkout", "Purchase"]
    assert list(frame["reached"]) == counts
    assert list(frame["overall"]) == pytest.approx([n / counts[0] for n in counts])
    assert list(frame["step_rate"][1:]) == pytest.approx([n / was for was, n in pairwise(counts)])
    assert list(frame["lost"][1:]) == [was - n for was, n in pairwise(counts)]
    if view.before:
        assert list(frame["reached_before"]) == reached(entries(events, view, view.before))
    _, boxes = ask(site, funnel._boxes, view)
    value = {box.id: box.value for box in boxes}
    drops = [1 - n / was for was, n in pairwise(counts)]
    assert (value["entered"], value["finished"]) == (counts[0], counts[-1])
    assert value["overall"] == pytest.approx(counts[-1] / counts[0])
    assert value["drop"] == pytest.approx(max(drops))
    times = [entry.seconds for entry in found if entry.seconds is not None]
    assert value["median"] == (pytest.approx(median(times)) if times else None)


@pytest.mark.parametrize("unit", ["session", "visitor"])
@pytest.mark.parametrize("view", VIEWS)
def test_times_are_those_of_the_events(site: Site, events: list[Event], view: View, unit: str) -> None:
    view = view.with_option("funnel-unit", unit)
    seconds = [entry.seconds for entry in entries(events, view, view.period) if entry.seconds is not None]
    frame = ask(site, funnel_rows.times, view)
    ends = (*funnel_rows.ENDS, 10**9)
    expected = {
        name: sum(low <= s < high for s in seconds)
        for name, low, high in zip(funnel_rows.BUCKETS, (0, *ends), ends, strict=False)
    }
    assert frame["finished"].sum() == len(seconds)
    for row in frame.to_dict("records"):
        assert row["finished"] == expected[row["span"]]
        assert row["share"] == pytest.approx(row["finished"] / len(seconds))


@pytest.mark.parametrize("unit", ["session", "visitor"])
@pytest.mark.parametrize("by", ["channel", "device", "country"])
def test_the_breakdown_adds_up(site: Site, events: list[Event], unit: str, by: str) -> None:
    view = replace(VIEW, bots=True).with_option("funnel-unit", unit).with_option("funnel-by", by)
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries(events, view, view.period):
        groups[getattr(entry.first, by)].append(entry)
    frame = ask(site, funnel_rows.breakdown, view)
    assert dict(zip(frame["value"], frame["reached"], strict=True)) == {
        name: reached(own) for name, own in groups.items()
    }
    for row in frame.to_dict("records"):
        counts = reached(groups[row["value"]])
        assert (row["entered"], row["finished"]) == (counts[0], counts[-1])
        assert row["overall"] == pytest.approx(counts[-1] / counts[0])


def test_a_category_is_walked_by_its_own_events(site: Site, events: list[Event]) -> None:
    view = VIEW.with_option("funnel-by", "category")
    sessions: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if view.period.start <= event.day <= view.period.end and event.is_in(view):
            sessions[event.session].append(event)
    walks: dict[str, list[Entry]] = defaultdict(list)
    for mine in sessions.values():
        for category in set().union(*(event.categories for event in mine)):  # what names none is a step of each
            own = [event for event in mine if category in event.categories or not event.categories]
            walks[category].append(Entry(own[0], walked(own)))
    expected = {name: reached(found) for name, found in walks.items()}
    frame = ask(site, funnel_rows.breakdown, view)
    rows = dict(zip(frame["value"], frame["reached"], strict=True))
    assert rows == {name: counts for name, counts in expected.items() if counts[0]}


@pytest.mark.parametrize("unit", ["session", "visitor"])
@pytest.mark.parametrize("view", [VIEWS[1], VIEWS[3]])
def test_the_trend_has_every_day_on_its_own(site: Site, events: list[Event], view: View, unit: str) -> None:
    view = view.with_option("funnel-unit", unit)
    frame = ask(site, funnel_rows.trend, view)
    rows = {str(row["at"]): (row["entered"], row["finished"]) for row in frame.to_dict("records")}
    found = entries(events, view, view.period)
    if view.period.days == 1:  # in the shop's hours
        assert sum(n for n, _ in rows.values()) == len(found)
        assert sum(n for _, n in rows.values()) == reached(found)[-1]
        if unit == "visitor":
            hours = Counter(entry.first.at.astimezone(ZoneInfo("Europe/Berlin")).hour for entry in found)
            assert {row["at"].hour: row["entered"] for row in frame.to_dict("records") if row["entered"]} == hours
        return
    days = [view.period.start + timedelta(days=n) for n in range(view.period.days)]
    for day in days:
        counts = reached(entries(events, view, Period(day, day)))
        assert rows[str(day)] == (counts[0], counts[-1])
    assert len(rows) == len(days)


def test_phones_and_desktops_stand_side_by_side(site: Site, events: list[Event]) -> None:
    cards = {part.id: part for part in funnel.PARTS if isinstance(part, Card)}
    for device in ("mobile", "desktop"):
        frame = ask(site, cards[f"{device}_steps"].rows, VIEW)
        chosen = replace(VIEW, device=(device,))
        assert list(frame["reached"]) == reached(entries(events, chosen, VIEW.period))
    assert ask(site, cards["desktop_steps"].rows, replace(VIEW, device=("mobile",))).empty


def test_nobody_is_told_as_nothing(site: Site) -> None:
    for rows in (funnel_rows.steps, funnel_rows.times, funnel_rows.breakdown, funnel_rows.trend):
        assert ask(site, rows, NOBODY).empty
    _, boxes = ask(site, funnel._boxes, NOBODY)
    assert [box.value for box in boxes] == [0, 0, None, None, None]


def test_the_picture_says_what_is_left_and_what_went() -> None:
    made = flow_charts.funnel(["<b>One</b>", "Two", "Three"], [200, 50, 10], name="sessions")
    assert [list(trace.x) for trace in made.data] == [[200, 50, 10], [0, 150, 40]]
    words = [note.text for note in made.layout.annotations]
    assert "step 25.0 % · overall 25.0 %" in words
    assert "step 20.0 % · overall 5.0 %" in words
    assert not any("<b>One" in text for text in words)
    assert [note.text for note in flow_charts.funnel(["One", "Two"], [0, 0], name="x").layout.annotations][
        -1
    ] == "overall 0.0 %"


def test_the_page_shows_them_and_keeps_its_options_in_the_url(site: Site, page: Page, events: list[Event]) -> None:
    query = "?page=funnel&from=2026-03-06&to=2026-03-19&device=mobile&funnel-unit=visitor&funnel-by=country"
    view = replace(VIEW, device=("mobile",)).with_option("funnel-unit", "visitor")
    counts = reached(entries(events, view, view.period))
    page.goto(site.url + query)
    settled(page)
    box = page.locator("[id='funnel_boxes-entered'] .value-box-value span[title]").first
    expect(box).to_have_attribute("title", f"{counts[0]:,}")
    expect(page.locator("[id='funnel_breakdown-funnel_by-select']")).to_have_value("country")
    expect(page.locator("[id='funnel_steps-part'] .annotation-text", has_text="Purchase")).to_contain_text(
        f"{counts[-1]:,}"
    )
    page.locator("[id='funnel_steps-face'] a[data-value=table]").click()
    steps = controller.OutputDataFrame(page, "funnel_steps-table")
    for row, count in enumerate(counts):
        steps.expect_cell(f"{count:,}", row=row, col=1)
    page.locator("[id='funnel_steps-funnel_unit-select']").select_option("session")
    page.wait_for_url(lambda url: "funnel-unit=session" in url or "funnel-unit" not in url)
    settled(page)
    sessions = reached(entries(events, view.with_option("funnel-unit", "session"), view.period))
    assert sessions != counts
    steps.expect_cell(f"{sessions[0]:,}", row=0, col=1)
    expect(page.locator("[id='funnel_times-funnel_unit-select']")).to_have_value("session")  # one choice for the page
