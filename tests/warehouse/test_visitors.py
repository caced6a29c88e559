"""Distinct visitors of any period, who comes back, and the funnel of a visitor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clickstream_dagster.settings import DEFAULT_FUNNEL_STEPS, FUNNEL_WINDOW
from clickstream_dagster.stack import Stack
from ingest_lambda.contract import Device, Event, Geo
from support.stories import DAY, GOOGLEBOT, at, event, five_weeks, rows, tell, visits

SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")
Days = set[tuple[str, date, bool]]


def local(moment: datetime) -> date:
    return moment.astimezone(SAIGON).date()


@pytest.fixture
def lived(make_stack: Callable[..., Stack]) -> tuple[Stack, list[Event]]:
    """A shop in Saigon, whose midnight is not the hour's, and all its events."""
    stack = make_stack(CLICKSTREAM_TIMEZONE=SAIGON.key)
    events = five_weeks(1, (*DEFAULT_FUNNEL_STEPS, "page_view", "view_product"))
    tell(stack, *events)
    return stack, events


def days_of(events: list[Event]) -> Days:
    return {
        (visit.visitor, local(one.event_timestamp), visit.is_bot) for visit in visits(events) for one in visit.events
    }


def test_a_row_is_a_visitor_s_date(stack: Stack) -> None:
    at_home = {"device": Device(type="mobile"), "geo": Geo(country="VN")}
    tell(
        stack,
        event("1 23:50", **at_home),
        event("2 00:10"),
        event("2 09:00", user_agent=GOOGLEBOT, device=Device(type="desktop")),
        event("5 12:00"),
        event("5 20:00"),
    )
    found = rows(stack, "select * from fact_visitor_days order by local_date, is_bot")
    first, second, fifth = (DAY.date() + timedelta(days=days) for days in (0, 1, 4))
    origin = ("direct", "mobile", "VN", "ann")
    assert found == [
        ("ann", first, False, first, None, first, None, *origin),
        ("ann", second, False, first, first, first, first, *origin),
        ("ann", second, True, second, None, first, second, *origin),
        ("ann", fifth, False, first, second, first, second, *origin),
    ]


def test_an_earlier_visit_that_comes_late_is_the_first_one(stack: Stack) -> None:
    tell(stack, event("3 10:00"))
    tell(stack, event("1 10:00", device=Device(type="tablet")))
    found = rows(stack, "select first_on, previous_on, device_type, country from fact_visitor_days order by local_date")
    assert found == [
        (DAY.date(), None, "tablet", "(none)"),
        (DAY.date(), DAY.date(), "tablet", "(none)"),
    ]


def test_the_days_are_those_of_the_events(lived: tuple[Stack, list[Event]]) -> None:
    stack, events = lived
    found = rows(stack, "select visitor_id, local_date, is_bot from fact_visitor_days")
    assert len(found) == len(set(found)) > 90
    assert set(found) == days_of(events)


def test_distinct_visitors_of_any_period_need_no_distinct(lived: tuple[Stack, list[Event]]) -> None:
    stack, _ = lived
    checked = 0
    for start in range(-1, 36, 5):
        for length in (1, 2, 7, 14, 30, 60):
            period = (DAY.date() + timedelta(days=start), DAY.date() + timedelta(days=start + length - 1))
            for previous, who in (("previous_on", "not is_bot"), ("previous_on_any", "true")):
                counted = rows(
                    stack,
                    f"select count(*) from fact_visitor_days where local_date between %s and %s and {who} "
                    f"and ({previous} is null or {previous} < %s)",
                    *period,
                    period[0],
                )
                spans = "select count(distinct visitor_id) from fact_sessions where local_date <= %s "
                assert counted == rows(stack, f"{spans} and last_local_date >= %s and {who}", period[1], period[0])
                checked += counted[0][0]
    assert checked > 500


def test_a_day_s_visitors_are_those_of_the_traffic(lived: tuple[Stack, list[Event]]) -> None:
    stack, _ = lived
    assert rows(
        stack, "select local_date, is_bot, count(*)::integer from fact_visitor_days group by 1, 2 order by 1, 2"
    ) == rows(stack, "select local_date, is_bot, visitors from agg_daily_traffic order by 1, 2")


def test_weekly_retention_is_what_the_events_say(lived: tuple[Stack, list[Event]]) -> None:
    stack, events = lived
    # A visitor's first row of a week is the one whose previous date lies before the week.
    found = rows(
        stack,
        """
        select date_trunc('week', first_on)::date, date_trunc('week', local_date)::date, count(*)
        from fact_visitor_days
        where not is_bot and (previous_on is null or previous_on < date_trunc('week', local_date))
        group by 1, 2
        """,
    )
    weeks: dict[str, set[date]] = {}
    for visitor, day, is_bot in days_of(events):
        if not is_bot:
            weeks.setdefault(visitor, set()).add(day - timedelta(days=day.weekday()))
    expected = Counter((min(held), week) for held in weeks.values() for week in held)
    assert {(cohort, week): number for cohort, week, number in found} == expected
    assert len(expected) > 10


FUNNEL = "select local_date, is_bot, previous_on, entered_at, funnel_step, funnel_seconds from fact_visitor_funnels"


def test_a_visitor_s_funnel_goes_on_in_later_sessions(stack: Stack) -> None:
    tell(
        stack,
        event("1 09:00", "page_view"),
        event("1 09:10", "view_product", device=Device(type="mobile")),
        event("1 09:20", "view_product"),
        event("2 10:00", "add_to_cart"),
        event("4 11:00", "checkout"),
        event("4 11:00:30", "purchase", device=Device(type="desktop")),
    )
    assert rows(stack, FUNNEL) == [(DAY.date(), False, None, at("1 09:10"), 4, 3 * 86_400 + 6_630)]
    assert rows(stack, "select channel, device_type, country from fact_visitor_funnels") == [
        ("direct", "mobile", "(none)")
    ]
    assert rows(stack, "select sum(sessions) from agg_daily_funnel where step = 4") == [(0,)]


def test_the_window_holds_its_last_moment_and_no_more(stack: Stack) -> None:
    assert timedelta(days=7) == FUNNEL_WINDOW
    tell(
        stack,
        *(event("1 09:00", "view_product", who) for who in ("in", "out")),
        *(event("1 09:00", "add_to_cart", who) for who in ("in", "out")),
        *(event("2 09:00", "checkout", who) for who in ("in", "out")),
        event("8 09:00:00", "purchase", "in"),
        event("8 09:00:01", "purchase", "out"),
    )
    found = rows(stack, "select visitor_id, funnel_step, funnel_seconds from fact_visitor_funnels order by 1")
    assert found == [("in", 4, 7 * 86_400), ("out", 3, None)]


def test_each_date_of_entry_has_a_window_of_its_own(stack: Stack) -> None:
    tell(
        stack,
        event("1 23:50", "page_view"),
        event("2 00:10", "view_product"),  # of a session of the first
        event("2 12:00", "page_view"),
        event("4 09:00", "view_product"),
        event("4 09:05", "add_to_cart"),
        event("9 10:00", "checkout"),
        event("9 10:01", "purchase"),
    )
    first, fourth = DAY.date(), DAY.date() + timedelta(days=3)
    assert rows(stack, f"{FUNNEL} order by local_date") == [
        (first, False, None, at("2 00:10"), 2, None),
        (fourth, False, first, at("4 09:00"), 4, 5 * 86_400 + 3_660),
    ]


def test_a_bot_s_sessions_have_a_funnel_of_their_own(stack: Stack) -> None:
    tell(
        stack,
        event("1 09:00", "view_product"),
        event("1 12:00", "view_product", user_agent=GOOGLEBOT),
        event("1 12:01", "add_to_cart", user_agent=GOOGLEBOT),
        event("1 15:00", "checkout"),
        event("2 15:00", "purchase", user_agent=GOOGLEBOT),
    )
    found = rows(stack, "select is_bot, previous_on, previous_on_any, funnel_step from fact_visitor_funnels order by 1")
    assert found == [(False, None, None, 1), (True, None, DAY.date(), 2)]


def depth(steps: tuple[Event, ...]) -> int:
    reached = 0
    for one in steps:
        if reached < len(DEFAULT_FUNNEL_STEPS) and one.event_name == DEFAULT_FUNNEL_STEPS[reached]:
            reached += 1
    return reached


def test_all_funnels_are_what_the_events_say(lived: tuple[Stack, list[Event]]) -> None:
    stack, events = lived
    place = {name: number for number, name in enumerate(DEFAULT_FUNNEL_STEPS)}
    by_kind: dict[tuple[str, bool], list[Event]] = {}
    entered: dict[tuple[str, date, bool], datetime] = {}
    for visit in visits(events):
        steps = [one for one in visit.events if one.event_name in place]
        by_kind.setdefault((visit.visitor, visit.is_bot), []).extend(steps)
        for one in steps:
            if one.event_name == DEFAULT_FUNNEL_STEPS[0]:
                key = (visit.visitor, local(visit.events[0].event_timestamp), visit.is_bot)
                entered[key] = min(entered.get(key, one.event_timestamp), one.event_timestamp)
    expected = {}
    for (visitor, day, is_bot), start in entered.items():
        held = [one for one in by_kind[visitor, is_bot] if start <= one.event_timestamp <= start + FUNNEL_WINDOW]
        held.sort(key=lambda one: (one.event_timestamp, place[one.event_name]))
        expected[visitor, day, is_bot] = (start, depth(tuple(held)))
    found = rows(stack, "select visitor_id, local_date, is_bot, entered_at, funnel_step from fact_visitor_funnels")
    assert {row[:3]: row[3:] for row in found} == expected
    assert len(found) == len(expected)
    assert {reached for _, reached in expected.values()} == {1, 2, 3, 4}


def test_distinct_visitors_who_entered_in_a_period(lived: tuple[Stack, list[Event]]) -> None:
    stack, _ = lived
    for start, length in ((0, 7), (3, 10), (10, 1), (0, 40)):
        first, last = DAY.date() + timedelta(days=start), DAY.date() + timedelta(days=start + length - 1)
        for previous, who in (("previous_on", "not is_bot"), ("previous_on_any", "true")):
            among = f"from fact_visitor_funnels where local_date between %s and %s and {who}"
            assert rows(
                stack, f"select count(*) {among} and ({previous} is null or {previous} < %s)", first, last, first
            ) == rows(stack, f"select count(distinct visitor_id) {among}", first, last)
