"""Visitors by ISO week: those of each week, and those who came back in the weeks after their first one."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import plotly.graph_objects as go

import banner
import charts
from cards import Option
from formats import FEW, share
from pages.active_visitors import PREVIOUS
from periods import Period
from queries import PERIOD, SEGMENT, Warehouse
from view import View

SHOW = Option("retention-show", "Show", {"share": "Share %", "count": "Visitors"})
FEWEST_WEEKS, MOST_WEEKS = 12, 26
_WEEK = timedelta(days=7)
#: The first day of the calendar was a Monday. Whole numbers: `extract` takes as long as all else that a row needs.
_MONDAY = "({0} - ({0} - date '0001-01-01') %% 7)"

#: Each visitor once in each week: on the day of it with no other day of the week before.
_WEEKS = f"""
    with seen as (
        select
            {_MONDAY.format("local_date")} as week, {PREVIOUS} as previous,
            case when %(bots)s then first_on_any else first_on end as first_on
        from {{{{days}}}} where {PERIOD} and {SEGMENT}
    )
    select week, {{columns}} from seen
    where (previous is null or previous < week) and {{where}}
    group by {{groups}} order by {{groups}}
"""
_COHORTS = _WEEKS.format(
    columns=f"{_MONDAY.format('first_on')} as cohort, count(*) as active",
    where="first_on >= %(start)s",
    groups="cohort, week",
)
_NEW = _WEEKS.format(
    columns="count(*) filter (where previous is null) as new, count(previous) as returning",
    where="true",
    groups="week",
)


def monday(day: date) -> date:
    """The first day of its ISO week."""
    return day - timedelta(days=day.weekday())


def weeks(view: View) -> Period:
    """Whole weeks up to the period's end: those of the period, but at least 12 and at most 26, and none before the data."""
    end = view.period.end
    wanted = (monday(end) - monday(view.period.start)).days // 7 + 1
    count = min(MOST_WEEKS, max(FEWEST_WEEKS, wanted))
    return Period(max(monday(end) - (count - 1) * _WEEK, monday(view.first)), end)


async def _last_whole_day(warehouse: Warehouse, view: View) -> date:
    bounds = await banner.bounds(warehouse)
    return min(view.period.end, bounds.complete) if bounds else view.period.end


async def triangle(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each cohort and week since: `cohort`, `visitors` in it, `age` in weeks, `active`, `share`, `is_over`, `state`.
    Empty until a cohort has a second week."""
    span = weeks(view)
    found = await warehouse.frame(_COHORTS.format(**view.counted), view.parameters(span))
    active = {(c, w): int(n) for c, w, n in zip(found["cohort"], found["week"], found["active"], strict=True)}
    whole = await _last_whole_day(warehouse, view)
    mondays = [span.start + number * _WEEK for number in range((monday(span.end) - span.start).days // 7 + 1)]
    rows = [
        (
            cohort,
            active[cohort, cohort],
            (week - cohort).days // 7,
            active.get((cohort, week), 0),
            _is_over(week, whole),
        )
        for cohort in mondays
        if (cohort, cohort) in active
        for week in mondays
        if week >= cohort
    ]
    frame = pd.DataFrame(rows, columns=["cohort", "visitors", "age", "active", "is_over"])
    if not (frame["age"] > 0).any():
        return frame[:0].assign(share=[], state=[])
    frame["share"] = [share(part, whole) for part, whole in zip(frame["active"], frame["visitors"], strict=True)]
    frame["state"] = ["over" if is_over else "not over yet" for is_over in frame["is_over"]]
    return frame


def _is_over(week: date, whole: date) -> bool:
    return week + timedelta(days=6) <= whole


def draw_triangle(frame: pd.DataFrame, view: View) -> go.Figure:
    """Cohorts below each other, the weeks since to the right. Week 0 is the cohort itself, which its label counts."""
    is_share = SHOW.chosen(view) == "share"
    later = frame[frame["age"] > 0]
    ages = range(1, int(later["age"].max()) + 1)
    cohorts = list(dict.fromkeys(later["cohort"]))
    cells = {(row.cohort, row.age): row for row in later.itertuples()}
    values, texts = [], []
    sizes = dict(zip(later["cohort"], later["visitors"], strict=True))
    for cohort in cohorts:
        row = [cells.get((cohort, age)) for age in ages]
        shown = [None if cell is None else 100 * cell.share if is_share else cell.active for cell in row]
        is_few = is_share and sizes[cohort] < FEW  # its numbers stand there without a colour
        values.append([None] * len(shown) if is_few else shown)
        texts.append([_text(value, cell) for value, cell in zip(shown, row, strict=True)])
    labels = [f"{cohort:%-d %b} · {sizes[cohort]:,}" for cohort in cohorts]
    name = "% came back" if is_share else "visitors came back"
    made = charts.heatmap([f"{age}" for age in ages], labels, values, texts=texts, name=name)
    made.update_traces(hovertemplate="%{y} visitors, week %{x}: %{z:,.1f} " + name + "<extra></extra>")
    return made.update_layout(xaxis={"side": "top", "title": "Weeks after the first visit"})


def _text(value: float | None, cell: object) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}{'' if getattr(cell, 'is_over', True) else '*'}"


async def new_and_returning(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each week: `week`, `new`, `returning`, `returning_share`, `state`."""
    frame = (await warehouse.frame(_NEW.format(**view.counted), view.parameters(weeks(view)))).copy()
    whole = await _last_whole_day(warehouse, view)
    both = frame["new"] + frame["returning"]
    frame["returning_share"] = [share(part, of) for part, of in zip(frame["returning"], both, strict=True)]
    frame["state"] = ["over" if _is_over(week, whole) else "not over yet" for week in frame["week"]]
    return frame


def draw_new_and_returning(frame: pd.DataFrame, _: View) -> go.Figure:
    """A column for each week."""
    labels = [
        f"{week:%-d %b}{'' if state == 'over' else ' *'}"
        for week, state in zip(frame["week"], frame["state"], strict=True)
    ]
    made = charts.stacked(labels, [("New", frame["new"]), ("Returning", frame["returning"])])
    return made.update_layout(xaxis={"type": "category"})
