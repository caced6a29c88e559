"""What searches without results may cost, and what is searched for next: worked examples, and the page against the events."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page
from shiny.playwright import controller

from clickstream_dagster.stack import Stack
from dashboard_site import Site, settled
from ingest_lambda.contract import Event, Order
from pages import loss_rows, refinements
from pages.loss_rows import Losses
from periods import Period
from support import golden
from support.stories import DAY, event, tell
from test_together import VIEW as PRODUCTS
from test_together import ask
from view import View

VIEW = replace(PRODUCTS, page="search")
VIEWS = [
    VIEW,
    replace(VIEW, bots=True, device=("desktop",)),
    replace(VIEW, period=Period(date(2026, 3, 19), date(2026, 3, 19))),
]
_LINE = re.compile(r"(\d+) (find|miss) (.+), (\d+) buy")


def cases() -> Iterator[tuple[str, list[str], list[str]]]:
    for title, told in golden.cases(Path(__file__).parent / "cases" / "losses.md"):
        yield (
            title,
            [line for line in told if _LINE.fullmatch(line)],
            [line for line in told if not _LINE.fullmatch(line)],
        )


def _events(lines: list[str]) -> Iterator[Event]:
    number = 0
    for line in lines:
        found = _LINE.fullmatch(line)
        assert found
        sessions, verb, term, buyers = found.groups()
        for place in range(int(sessions)):
            number += 1
            moment, visitor = DAY + timedelta(minutes=number), f"v{number}"
            yield event(moment, "search", visitor, search_query=term, props={"results": 3 if verb == "find" else 0})
            if place < int(buyers):
                order = Order(id=f"o{number}", value=Decimal(50))
                yield event(moment + timedelta(seconds=30), "purchase", visitor, order=order)


@pytest.mark.parametrize(
    ("title", "story", "expected"), list(cases()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_worked_example(stack: Stack, title: str, story: list[str], expected: list[str]) -> None:
    tell(stack, *_events(story))
    view = View("search", Period(DAY.date(), DAY.date()), DAY.date())
    of_all = ask(stack, loss_rows.losses, view, view.period, "USD")
    found = [
        f"with results {of_all.bought} of {of_all.sessions}, without {of_all.bought_without} of {of_all.sessions_without}"
    ]
    for row in ask(stack, loss_rows.terms, view).itertuples():
        reach = f"({row.lost_low:.2f} to {row.lost_high:.2f})"
        orders = f"{row.lost_orders:.2f} orders"
        found.append(f"{row.term} | {row.bought} of {row.sessions} | {orders} | {row.lost:.2f} {reach} | {row.word}")
    assert found == expected


def test_without_orders_or_without_others_nothing_is_told() -> None:
    assert Losses(0, 0, 10, 0, 50.0).of(10) == (None, None, None)
    assert Losses(100, 10, 10, 0, None).of(10) == (None, None, None)
    assert Losses(0, 0, 10, 0, 50.0).is_noise


def test_a_session_that_finds_something_later_is_one_without_results_until_it_buys_after_that(stack: Stack) -> None:
    def search(when: str, term: str, results: int, visitor: str = "ann") -> Event:
        return event(when, "search", visitor, search_query=term, props={"results": results})

    tell(
        stack,
        search("1 10:00", "keybord", 0),
        search("1 10:01", "keyboard", 5),
        event("1 10:02", "purchase", order=Order(id="o1", value=Decimal(50))),
        search("1 10:00", "mouse", 5, "bob"),
        event("1 10:01", "purchase", "bob", order=Order(id="o2", value=Decimal(50))),
        search("1 10:02", "mat", 0, "bob"),  # after the order, which is none of its own
    )
    view = View("search", Period(DAY.date(), DAY.date()), DAY.date())
    assert ask(stack, loss_rows.losses, view, view.period, "USD") == Losses(0, 0, 2, 1, 50.0)


#: Searches of the sessions in order, from the raw table.
SEARCHES = """
    select s.session_key, lower(btrim(regexp_replace(e.search_query, '\\s+', ' ', 'g')))
    from fact_sessions as s
    inner join clickstream_events as e on e.visitor_id = s.visitor_id and e.event_timestamp between s.started_at and s.ended_at
    where s.local_date between %(start)s and %(end)s and (%(bots)s or not s.is_bot) and e.event_name = 'search'
        and (%(devices)s::text[] is null or coalesce(s.device_type, '(none)') = any(%(devices)s))
        and btrim(e.search_query) <> ''
    order by s.session_key, e.event_timestamp, e.event_id
"""


@pytest.mark.parametrize("view", VIEWS)
def test_ways_from_a_search_to_the_next_are_those_of_the_sessions(site: Site, view: View) -> None:
    ways, last = set(), (None, "")
    for session, term in site.rows(SEARCHES, **view.parameters()):
        if last[0] == session and last[1] != term:
            ways.add((session, last[1], term))
        last = (session, term)
    frame = ask(site.stack, refinements.refinements, view)
    found = {(row.term, row.next_term): row.sessions for row in frame.itertuples()}
    assert found == Counter((one, other) for _, one, other in ways)
    assert (frame["clicked"] <= frame["sessions"]).all()
    assert (frame["bought"] <= frame["sessions"]).all()


def test_the_page_shows_the_ways_and_the_losses(site: Site, page: Page) -> None:
    page.goto(f"{site.url}?page=search&from=2026-02-20&to=2026-03-19")
    settled(page)
    for card, rows, column in (("refinements", refinements.refinements, 2), ("losses", loss_rows.terms, 1)):
        first = ask(site.stack, rows, VIEW).iloc[0]
        page.locator(f"[id='search_{card}-face']").get_by_text("Table").click()
        settled(page)
        table = controller.OutputDataFrame(page, f"search_{card}-table")
        table.expect_cell(first["term"], row=0, col=0)
        table.expect_cell(f"{first['sessions']:,}", row=0, col=column)
