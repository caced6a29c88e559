"""Journeys against the events: every session's way, walked one event at a time."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from shiny.playwright import controller

import flow_charts
from clickstream_dagster.cli.serving import reader_environment
from dashboard_site import Site, settled
from pages import journey_rows, journeys
from pages.journey_rows import told
from periods import Period
from queries import Warehouse, dsn
from view import View

FIRST = date(2026, 2, 13)
VIEW = View("journeys", Period(date(2026, 3, 6), date(2026, 3, 19)), FIRST, date(2026, 3, 19))
SEGMENT = replace(
    VIEW, channel=("direct", "organic search"), device=("mobile",), period=Period(FIRST, date(2026, 3, 20))
)
VIEWS = [
    VIEW,
    SEGMENT,
    replace(VIEW, bots=True, country=("US",)),
    replace(VIEW, bots=True, period=Period(date(2026, 3, 20), date(2026, 3, 20))),
]
NOBODY = replace(VIEW, channel=("no such channel",))
ORDER = ("page_view", "search", "view_product", "add_to_cart", "checkout", "purchase")
EVENTS = """
    select s.session_key::text, e.event_name, e.page_path from fact_sessions as s
    inner join clickstream_events as e on e.visitor_id = s.visitor_id and e.event_timestamp between s.started_at and s.ended_at
    where s.local_date between %(start)s and %(end)s and (%(bots)s or not s.is_bot)
        and (%(channels)s::text[] is null or s.channel = any(%(channels)s))
        and (%(devices)s::text[] is null or coalesce(s.device_type, '(none)') = any(%(devices)s))
        and (%(countries)s::text[] is null or coalesce(s.country, '(none)') = any(%(countries)s))
    order by s.session_key, e.event_timestamp, array_position(%(order)s::text[], e.event_name), e.event_id
"""


@dataclass
class Way:
    """What one session did."""

    steps: list[str]
    views: int = 0

    @property
    def is_buyer(self) -> bool:
        return "purchase" in self.steps

    def shown(self, anchor: str, length: int) -> list[str | None]:
        """Its columns in the picture."""
        if anchor == "start":
            return [*self.steps, "exit", *[None] * length][:length]
        steps = self.steps[: self.steps.index("purchase") + 1] if self.is_buyer else [*self.steps, "exit"]
        missing = length - len(steps)
        return [*[None] * (missing - 1), *(["start"] if missing > 0 else []), *steps][-length:]


def ways(site: Site, view: View, period: Period | None = None) -> list[Way]:
    """Of each session with a step."""
    found: dict[str, Way] = defaultdict(lambda: Way([]))
    events = site.rows(EVENTS, order=list(ORDER), **view.parameters(period))
    known = [event for event in events if event[1] in ORDER[1:] or (event[1] == "page_view" and event[2] is not None)]
    pages = {id(one) for one, then in pairwise(known) if _is_page_of(one, then)}
    for event in events:
        session, name, path = event
        way = found[session]
        way.views += name in ("page_view", "view_product")
        if id(event) in pages:
            continue
        if name == "page_view" and path is not None:
            first, *more = path.strip("/").split("/")
            name = f"/{first}{'/*' if more else ''}"
        elif name not in ORDER[1:]:
            continue
        if not way.steps or way.steps[-1] != name:
            way.steps.append(name)
    return [way for way in found.values() if way.steps]


def _is_page_of(one: tuple[Any, ...], then: tuple[Any, ...]) -> bool:
    """Whether the next step of the session happens on the page that this one views."""
    return (
        one[0] == then[0]
        and one[1] == "page_view" != then[1]
        and then[2] is not None
        and one[2].strip("/") == then[2].strip("/")
    )


def ask(site: Site, rows: Any, *arguments: Any) -> Any:
    """What a page's function gives. In a thread of its own, since Playwright keeps an event loop in this one."""
    warehouse = Warehouse(dsn(reader_environment(site.stack)))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows(warehouse, *arguments))).result()


def chosen(view: View, anchor: str, length: int, most: int) -> View:
    options = {"journeys-anchor": anchor, "journeys-steps": str(length), "journeys-names": str(most)}
    for name, value in options.items():
        view = view.with_option(name, value)
    return view


def going_to(found: list[Way], anchor: str) -> list[Way]:
    return [way for way in found if anchor == "start" or way.is_buyer == (anchor == "purchase")]


def flows(found: list[Way], anchor: str, length: int, most: int) -> dict[tuple[int, str, str], tuple[int, int]]:
    """(column, from, to): sessions, and those of them with a purchase; the seldom ones of a column together."""
    shown = [(way.shown(anchor, length), way.is_buyer) for way in found]
    names: list[dict[str | None, str]] = []
    for place in range(length):
        sizes = Counter(cells[place] for cells, _ in shown if cells[place])
        pages = sorted((n for n in sizes if n not in ("start", "exit", "purchase")), key=lambda n: (-sizes[n], str(n)))
        kept = pages if len(pages) <= most else pages[: most - 1]
        names.append(
            {n: told(str(n)) if n in kept or n not in pages else f"and {len(pages) - most + 1} more" for n in sizes}
        )
    counts: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for cells, is_buyer in shown:
        for place in range(length - 1):
            if cells[place] and cells[place + 1]:
                flow = counts[place + 1, names[place][cells[place]], names[place + 1][cells[place + 1]]]
                flow[0] += 1
                flow[1] += is_buyer
    return {key: (n, buyers) for key, (n, buyers) in counts.items()}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("anchor", "length", "most"), [("start", 4, 6), ("start", 6, 4), ("purchase", 6, 4), ("exit", 5, 6)]
)
def test_flows_are_those_of_the_sessions(site: Site, view: View, anchor: str, length: int, most: int) -> None:
    found = going_to(ways(site, view), anchor)
    view = chosen(view, anchor, length, most)
    frame = ask(site, journey_rows.flow, view)
    expected = flows(found, anchor, length, most)
    rows = {(r["place"], r["from"], r["to"]): (r["sessions"], r["purchases"]) for r in frame.to_dict("records")}
    assert rows == expected
    leaving: Counter[tuple[int, str]] = Counter()
    for (place, name, _), (sessions, _) in expected.items():
        leaving[place, name] += sessions
    for row in frame.to_dict("records"):
        assert row["share"] == pytest.approx(row["sessions"] / len(found))
        assert row["share_from"] == pytest.approx(row["sessions"] / leaving[row["place"], row["from"]])
        assert row["conversion"] == pytest.approx(row["purchases"] / row["sessions"])
    if len(frame):
        trace = journeys._draw_flow(frame, view).data[0]
        assert sorted(trace.link.value) == sorted(n for n, _ in expected.values())
        assert len(trace.node.x) == len({*leaving, *((place + 1, to) for place, _, to in expected)})


@pytest.mark.parametrize("view", VIEWS)
def test_boxes_are_those_of_the_sessions(site: Site, view: View) -> None:
    found = ways(site, view)
    buyers = [way for way in found if way.is_buyer]
    others = [way for way in found if not way.is_buyer]
    head, boxes = ask(site, journeys._boxes, view)
    value = {box.id: box.value for box in boxes}
    assert value["sessions"] == len(found)
    assert value["single"] == pytest.approx(sum(len(way.steps) == 1 for way in found) / len(found))
    assert value["long"] == pytest.approx(sum(len(way.steps) >= 6 for way in found) / len(found))
    assert value["pages"] == (median(way.views for way in buyers) if buyers else None)
    begin = Counter(way.steps[0] for way in buyers)
    leave = Counter(way.steps[-1] for way in others)
    assert value["begin"] == (pytest.approx(max(begin.values()) / len(buyers)) if buyers else None)
    assert value["leave"] == pytest.approx(max(leave.values()) / len(others))
    sessions = next(box for box in boxes if box.id == "sessions")
    assert sum(sessions.line) == len(found)
    if view.period.days == 1:  # a day that is not over is compared with nothing
        assert head.endswith("not compared")
        assert sessions.before is None
    elif view.before:
        assert sessions.before == len(ways(site, view, view.before))


@pytest.mark.parametrize("view", VIEWS)
def test_tables_of_paths_are_those_of_the_sessions(site: Site, view: View) -> None:
    found, earlier = ways(site, view), ways(site, view, view.before) if view.before else []
    frame = ask(site, journey_rows.first_steps, view.with_option("journeys-order", "purchases"))
    buyers = Counter(tuple(way.shown("start", 6)) for way in found if way.is_buyer)
    alike = Counter(tuple(way.shown("start", 6)) for way in found)
    for row in frame.to_dict("records"):
        way = (*row["way"], *[None] * (6 - len(row["way"])))
        assert (row["sessions"], row["purchases"]) == (alike[way], buyers[way])
        assert row["conversion"] == pytest.approx(buyers[way] / alike[way])
        assert [row[f"step_{n}"] for n in range(1, 7)] == ["" if step is None else told(step) for step in way]
    assert sorted(frame["purchases"], reverse=True) == list(frame["purchases"])
    assert len(frame) == min(100, len(buyers))
    for anchor in ("purchase", "exit"):
        now, before = (
            Counter(tuple(w.shown(anchor, 6)[:-1]) for w in going_to(all, anchor)) for all in (found, earlier)
        )
        frame = ask(site, journey_rows.last_steps, view, anchor)
        columns = [[row[f"step_{n}"] for n in range(1, 6)] for row in frame.to_dict("records")]
        expected = {
            tuple("" if s in (None, "start") else told(str(s)) for s in way): (n, before[way]) for way, n in now.items()
        }
        assert len(frame) == min(100, len(expected))
        for row, way in zip(frame.to_dict("records"), columns, strict=True):
            n, was = expected[tuple(way)]
            assert row["sessions"] == n
            assert row["share"] == pytest.approx(n / now.total())
            assert row["share_before"] == (pytest.approx(was / before.total()) if before else None)


@pytest.mark.parametrize("view", VIEWS[:2])
def test_first_and_last_steps_are_those_of_the_sessions(site: Site, view: View) -> None:
    found = ways(site, view)
    frame = ask(site, journey_rows.begins, view).set_index("step")
    firsts = Counter(told(way.steps[0]) for way in found)
    assert frame["sessions"].to_dict() == firsts
    for step, row in frame.iterrows():
        own = [way for way in found if told(way.steps[0]) == step]
        assert row["alone_share"] == pytest.approx(sum(len(way.steps) == 1 for way in own) / len(own))
        assert row["conversion"] == pytest.approx(sum(way.is_buyer for way in own) / len(own))
    lasts = ask(site, journey_rows.leaves, view).set_index("step")
    assert lasts["sessions"].to_dict() == Counter(told(way.steps[-1]) for way in found if not way.is_buyer)


def test_nobody_is_told_as_nothing(site: Site) -> None:
    for rows in (
        journey_rows.flow,
        journey_rows.begins,
        journey_rows.leaves,
        journey_rows.first_steps,
        journeys._to_purchase,
    ):
        assert ask(site, rows, NOBODY).empty
    _, boxes = ask(site, journeys._boxes, NOBODY)
    assert [box.value for box in boxes] == [0, None, None, None, None, None]


def test_a_sankey_has_room_for_every_label_and_keeps_text_text() -> None:
    nodes = [
        (0, "<b>Home</b>", 1000, "#000000"),
        *((1, f"/{n}", 1, "#000000") for n in range(9)),
        (1, "/big", 991, "#000000"),
    ]
    made = flow_charts.sankey(nodes, [(0, n, nodes[n][2], "") for n in range(1, 11)], ["Step 1", "Step 2"])
    assert "&lt;b&gt;Home" in made.layout.annotations[2].text
    tops = made.data[0].node.y[1:]
    assert all(below - above >= 0.03 for above, below in pairwise(tops))
    assert max(tops) < 1


def test_the_page_shows_them_and_keeps_its_options_in_the_url(site: Site, page: Page) -> None:
    query = "?page=journeys&from=2026-03-06&to=2026-03-19&device=mobile&journeys-anchor=exit&journeys-steps=3"
    view = chosen(replace(VIEW, device=("mobile",)), "exit", 3, 6)
    found = ways(site, view)
    page.goto(site.url + query)
    settled(page)
    box = page.locator("[id='journeys_boxes-sessions'] .value-box-value span[title]").first
    expect(box).to_have_attribute("title", f"{len(found):,}")
    expect(page.locator("[id='journeys_flow-journeys_anchor-select']")).to_have_value("exit")
    expect(page.locator("[id='journeys_flow-journeys_steps-select']")).to_have_value("3")
    expect(page.locator("[id='journeys_flow-part'] .annotation-text", has_text="1 before")).to_have_count(1)
    page.locator("[id='journeys_flow-face'] a[data-value=table]").click()
    table = controller.OutputDataFrame(page, "journeys_flow-table")
    largest = max(
        (key for key in flows(going_to(found, "exit"), "exit", 3, 6).items() if key[0][0] == 1), key=lambda row: row[1]
    )
    table.expect_cell("2 before", row=0, col=0)
    table.expect_cell(f"{largest[1][0]:,}", row=0, col=3)
    page.locator("[id='journeys_flow-journeys_anchor-select']").select_option("purchase")
    page.wait_for_url("**journeys-anchor=purchase*")
    settled(page)
    buyers = going_to(found, "purchase")
    last = flows(buyers, "purchase", 3, 6)
    assert len(ask(site, journey_rows.flow, chosen(view, "purchase", 3, 6))) == len(last)
    expect(page.locator("[id='journeys_flow-table']")).to_contain_text("Purchase")
    expect(page.locator("[id='journeys_flow-table']")).not_to_contain_text("Exit")
