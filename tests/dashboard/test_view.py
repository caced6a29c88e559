"""Links: what they hold, what a tampered one gives, and the dates that presets and comparisons mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards import Option
from periods import COMPARISONS, PRESETS, Period, comparison, preset
from view import SEGMENTS, Bounds, View, custom_period, default_view, from_query, to_query

LATEST = date(2026, 3, 20)
BOUNDS = Bounds(
    first=date(2025, 1, 6),
    latest=LATEST,
    complete=date(2026, 3, 19),
    segments={"channel": ["direct", "paid search"], "device": ["desktop", "(none)"], "country": ["DE", "US"]},
    people={"window-shoppers": "They look"},
)
PAGES = ["overview", "funnel"]
OPTIONS = {"metric": ("visitors", "orders")}


def read(query: str) -> tuple[View, list[str]]:
    return from_query(query, BOUNDS, PAGES, OPTIONS)


def test_a_bare_link_is_the_default_and_says_nothing() -> None:
    assert read("") == (default_view(BOUNDS, "overview"), [])
    assert read("?") == (default_view(BOUNDS, "overview"), [])


views = st.builds(
    lambda page, name, days, compare, channel, device, country, bots, people, segment, metric: replace(
        default_view(BOUNDS, page),
        preset=name,
        period=Period(LATEST - timedelta(days=days), LATEST) if name == "custom" else BOUNDS.preset(name),
        compare=compare,
        channel=channel,
        device=device,
        country=country,
        bots=bots,
        people=people,
        segment=segment,
    ).with_option("metric", metric),
    st.sampled_from(PAGES),
    st.sampled_from(list(PRESETS)),
    st.integers(0, 400),
    st.sampled_from(list(COMPARISONS)),
    *(
        st.lists(st.sampled_from(BOUNDS.segments[name]), unique=True).map(tuple)  # type: ignore[type-var]
        for name in SEGMENTS
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "window-shoppers"]),
    st.sampled_from(OPTIONS["metric"]),
)


@given(views)
def test_the_url_holds_the_whole_view(view: View) -> None:
    assert from_query(to_query(view), BOUNDS, PAGES, OPTIONS) == (view, [])


@given(st.text(max_size=300))
def test_no_text_raises_and_what_it_gives_can_be_shown(text: str) -> None:
    view, notices = read(text)
    assert BOUNDS.first <= view.period.start <= view.period.end <= BOUNDS.latest
    assert view.page in PAGES
    assert all(len(notice) < 200 for notice in notices)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?from=2026-13-45&to=2026-01-01", "cannot be read"),
        ("?from=2026-02-01&to=2026-01-01", "end before they start"),
        ("?from=1000-01-01&to=1000-01-02", "no data between"),
        ("?from=", "cannot be read"),
        ("?period=decade", "is not known"),
        ("?period=custom", "is not known"),
        ("?compare=moon", "is not known"),
        ("?bots=maybe", "is not known"),
        ("?count=cookies", "visitors or people"),
        ("?segment='; drop table segments", "There is no segment"),
        ("?page=../../etc/passwd", "There is no page"),
        ("?channel=' or 1=1 --", "No channel"),
        ("?metric=passwords", "means nothing here"),
        ("?%00=%ff&a[]=b", "means nothing here"),
        ("?_inputs_&period=%2228d%22", "means nothing here"),
        ("?_state_id_=../../secret", "means nothing here"),
        ("?" + "x" * 65_536, "too long"),
        ("?" + "&".join(f"a{n}=1" for n in range(300)), "cannot be read"),
    ],
)
def test_a_tampered_link_gives_the_default_and_a_notice(query: str, said: str) -> None:
    view, notices = read(query)
    assert view == default_view(BOUNDS, "overview")
    assert said in notices[0]
    assert len(notices[0]) < 200


def test_the_rest_of_a_tampered_link_still_counts() -> None:
    view, notices = read("?page=funnel&channel=direct&channel=nonsense&from=x")
    assert (view.page, view.channel, len(notices)) == ("funnel", ("direct",), 2)


def test_presets_end_where_the_data_is_whole() -> None:
    latest, complete = date(2026, 3, 20), date(2026, 3, 19)
    day = timedelta(days=1)
    assert preset("today", latest, complete) == Period(latest, latest)
    assert preset("yesterday", latest, complete) == Period(latest - day, latest - day)
    assert preset("7d", latest, complete) == Period(date(2026, 3, 13), complete)
    assert preset("month", latest, complete) == Period(date(2026, 3, 1), complete)
    assert preset("month", date(2026, 3, 1), date(2026, 2, 28)) == Period(date(2026, 3, 1), date(2026, 3, 1))
    assert preset("last-month", latest, complete) == Period(date(2026, 2, 1), date(2026, 2, 28))
    assert preset("quarter", latest, complete) == Period(date(2026, 1, 1), complete)
    assert preset("12m", latest, complete).days == 365


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 800))
def test_weekdays_meet_weekdays_and_periods_do_not_overlap(start: date, days: int) -> None:
    period = Period(start, start + timedelta(days=days))
    before = comparison(period, "previous")
    assert before is not None
    assert before.end == start - timedelta(days=1)
    for kind in ("weekdays", "year"):
        matched = comparison(period, kind)
        assert matched is not None
        assert matched.start.weekday() == start.weekday()
        assert matched.days == period.days
    assert comparison(period, "weekdays").end < start  # type: ignore[union-attr]


def test_nothing_is_compared_with_days_before_the_data() -> None:
    view = replace(default_view(BOUNDS, "overview"), period=Period(BOUNDS.first, BOUNDS.latest))
    assert view.before is None
    assert default_view(BOUNDS, "overview").before == Period(date(2026, 1, 23), date(2026, 2, 19))


def test_a_day_that_is_going_on_is_compared_with_no_whole_day() -> None:
    whole = View("overview", Period(date(2026, 3, 19), date(2026, 3, 19)), date(2026, 1, 1), date(2026, 3, 19))
    going_on = replace(whole, period=Period(date(2026, 3, 20), date(2026, 3, 20)))
    assert (whole.is_going_on, whole.before) == (False, Period(date(2026, 3, 18), date(2026, 3, 18)))
    assert (going_on.is_going_on, going_on.before, going_on.other) == (True, None, whole.period)


def test_what_a_browser_sends_for_a_choice_is_one_of_the_choices() -> None:
    option = Option("x", "X", {"views": "Views", "exits": "Exits"})
    view = default_view(BOUNDS, "overview")
    assert option.chosen(view.with_option("x", "exits")) == "exits"
    assert option.chosen(view.with_option("x", "views) > 0 union all select 1 --")) == "views"


def test_custom_dates_stay_where_there_is_data() -> None:
    assert custom_period(date(1990, 1, 1), date(2090, 1, 1), BOUNDS) == Period(BOUNDS.first, BOUNDS.latest)
    assert custom_period(date(2026, 3, 21), date(2026, 3, 22), BOUNDS) is None


def test_what_a_page_is_about_is_in_its_link_and_stays_on_it() -> None:
    pages = [*PAGES, "visits", "product"]
    view, notices = from_query("?page=visits&campaign=spring+sale", BOUNDS, pages, OPTIONS)
    assert (view.about, notices) == (("campaign", "spring sale"), [])
    assert to_query(view) == "?page=visits&campaign=spring+sale"
    assert view.parameters()["about"] == "spring sale"
    assert view.at("funnel").about is None
    assert from_query("?page=funnel&campaign=x", BOUNDS, pages, OPTIONS)[0].about is None
    for query in ("?page=product&campaign=x", "?page=visits&campaign=" + "x" * 501, "?page=visits&term=%00"):
        view, notices = from_query(query, BOUNDS, pages, OPTIONS)
        assert (view.page, view.about) == ("overview", None)
        assert notices
