"""Rows of the journeys page: the ways that sessions took, counted from their first step or up to their last one."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pandas as pd

import charts
from cards import Option
from formats import is_missing, share
from names import spelled
from periods import Period
from queries import PERIOD, SEGMENT, Warehouse
from view import View

ANCHOR = Option(
    "journeys-anchor",
    "Show",
    {"start": "From the first step", "purchase": "Up to a purchase", "exit": "Up to an exit"},
)
LENGTH = Option("journeys-steps", "Steps", {"4": "4", "3": "3", "5": "5", "6": "6"})
MOST = Option("journeys-names", "Names per step", {"6": "Up to 6", "4": "Up to 4", "10": "Up to 10"})
ORDER = Option("journeys-order", "Order by", {"sessions": "Sessions", "purchases": "Sessions with a purchase"})

#: agg_daily_paths holds this many steps of a session at either end.
LONGEST = 6
#: Rows of a table of ways.
MOST_WAYS = 100
#: Steps that are never folded into "and N more": the ends of a session and what it is for.
ENDS = ("start", "exit", "purchase")
_WORDS = {"/": "Home page", "start": "Session starts", "exit": "Exit"}

_START = "anchor = 'start'"
_END = "anchor = 'end' and steps[cardinality(steps)] = %(end_step)s"
_FLOW = f"""
    with shown as (
        select {{cells}} as cells, sum(sessions) as sessions, sum(sessions_with_purchase) as purchases
        from agg_daily_paths where {PERIOD} and {SEGMENT} and {{anchor}} group by cells
    ),
    placed as (
        select
            place + {{moved}} as place, cells[place] as name, cells[place + 1] as next_name, sessions, purchases
        from shown cross join lateral generate_subscripts(cells, 1) as place
    ),
    sized as (
        select place, name, name = any(%(ends)s) as is_end, sum(sessions) as sessions from placed group by place, name
    ),
    ranked as (
        select
            place, name, is_end,
            row_number() over (partition by place, is_end order by sessions desc, name collate "C") as rank,
            count(*) over (partition by place, is_end) as names
        from sized
    ),
    folded as (
        select
            place, name,
            case when is_end or names <= %(most)s or rank < %(most)s then name end as kept,
            case when not is_end and names > %(most)s then names - %(most)s + 1 end as more
        from ranked
    )
    select
        placed.place, here.kept as name, there.kept as next_name, max(here.more) as more, max(there.more) as next_more,
        sum(sessions)::bigint as sessions, sum(purchases)::bigint as purchases
    from placed
    inner join folded as here on here.place = placed.place and here.name = placed.name
    inner join folded as there on there.place = placed.place + 1 and there.name = placed.next_name
    group by placed.place, here.kept, there.kept
    order by placed.place, sessions desc, here.kept, there.kept
"""
_BEFORE = "local_date between %(before_start)s and %(before_end)s"
#: Of the period and of its comparison at once, so that each way has its share of both; whole ways and their step at the end
#: together, and the ways up to a purchase beside those up to an exit, since nearly every session has a row to be read. The one
#: range that holds both periods is named too: for the `or` of two alone, the index is read from the first day of the shop.
_WAYS = f"""
    with summed as materialized (
        select
            steps, case when %(anchor)s = 'start' then 'start' else steps[cardinality(steps)] end as goal,
            coalesce(sum(sessions) filter (where {PERIOD}), 0)::bigint as sessions,
            coalesce(sum(sessions_with_purchase) filter (where {PERIOD}), 0)::bigint as purchases,
            coalesce(sum(sessions) filter (where {_BEFORE}), 0)::bigint as sessions_before
        from agg_daily_paths
        where local_date between %(earliest)s and %(end)s and ({PERIOD} or {_BEFORE}) and {SEGMENT}
            and anchor = %(anchor)s
        group by steps
    ),
    steps as (
        select
            goal, case goal when 'start' then steps[1] else steps[cardinality(steps) - 1] end as step,
            sum(sessions)::bigint as sessions, sum(purchases)::bigint as purchases,
            coalesce(sum(sessions) filter (where cardinality(steps) = 2), 0)::bigint as alone,
            sum(sessions_before)::bigint as sessions_before
        from summed group by goal, step
    ),
    wholes as (
        select
            goal, sum(sessions) as whole, sum(purchases) as whole_purchases, sum(sessions_before) as whole_before
        from steps group by goal
    ),
    ways as (
        select goal, true as is_whole, steps as way, sessions, purchases, 0 as alone, sessions_before from summed
        union all
        select goal, false, array[step], sessions, purchases, alone, sessions_before from steps
    )
    select wholes.*, sort.by, first.*
    from wholes
    cross join (values (true), (false)) as kind (is_whole)
    cross join (values ('sessions'), ('purchases')) as sort (by)
    cross join lateral (
        select is_whole, way, sessions, purchases, alone, sessions_before from ways
        where ways.goal = wholes.goal and ways.is_whole = kind.is_whole
            and case sort.by when 'sessions' then sessions else purchases end > 0
        order by case sort.by when 'sessions' then sessions else purchases end desc, sessions desc, way limit {MOST_WAYS}
    ) as first
    order by way
"""
_DAYS = f"""
    select
        local_date as day, sum(sessions)::bigint as sessions,
        coalesce(sum(sessions) filter (where cardinality(steps) = 2 and steps[2] = 'exit'), 0)::bigint as single,
        coalesce(sum(sessions) filter (where steps[{LONGEST}] <> 'exit'), 0)::bigint as long
    from agg_daily_paths where {PERIOD} and {SEGMENT} and {_START} group by day order by day
"""
_PAGES = f"""
    select
        purchase_count > 0 as is_buyer,
        percentile_cont(0.5) within group (order by page_view_count + product_view_count) as pages
    from fact_sessions where {PERIOD} and {SEGMENT} group by is_buyer
"""


def told(step: str) -> str:
    """A step in words: view_product as View product; a page by its path."""
    return _WORDS.get(step) or (step if step.startswith("/") else spelled(step))


def _anchored(anchor: str) -> str:
    return _START if anchor == "start" else _END


async def flow(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each flow between two steps, as it is drawn: what is seldom goes together, as "and N more"."""
    anchor, length = ANCHOR.chosen(view), int(LENGTH.chosen(view))
    if anchor == "start":
        cells, moved = "steps[1:%(length)s]", "0"
    else:  # `start` before the first step, where that is known and among the shown
        cells = "(array_prepend('start', steps))[cardinality(steps) + 2 - %(length)s:]"
        moved = "%(length)s - cardinality(cells)"
    bound = {"length": length, "most": int(MOST.chosen(view)), "ends": list(ENDS), "end_step": anchor}
    sql = _FLOW.format(cells=cells, moved=moved, anchor=_anchored(anchor))
    frame = (await warehouse.frame(sql, {**view.parameters(), **bound})).copy()
    for name, more in (("from", "more"), ("to", "next_more")):
        steps = frame["name" if name == "from" else "next_name"]
        frame[name] = [
            f"and {int(n):,} more" if is_missing(step) else told(step)
            for step, n in zip(steps, frame[more], strict=True)
        ]
    sizes = frame.groupby(["place", "from"])["sessions"].transform("sum")
    whole = frame["sessions"][frame["place"] == 1].sum() if anchor == "start" else _arriving(frame, length)
    frame["share_from"] = [share(*pair) for pair in zip(frame["sessions"], sizes, strict=True)]
    frame["share"] = [share(n, whole) for n in frame["sessions"]]
    frame["conversion"] = [share(*pair) for pair in zip(frame["purchases"], frame["sessions"], strict=True)]
    frame["whole"] = whole
    frame["told"] = [
        f"{charts.shortened(row['from'])} › {charts.shortened(row['to'])}<br>{row['sessions']:,} sessions, "
        f"{100 * row['share_from']:.1f} % of those at the step<br>{100 * row['conversion']:.1f} % with a purchase"
        for row in frame.to_dict("records")
    ]
    frame["place_told"] = [place_told(place, anchor, length) for place in frame["place"]]
    return frame


def _arriving(frame: pd.DataFrame, length: int) -> Any:
    return frame["sessions"][frame["place"] == length - 1].sum()


def place_told(place: int, anchor: str, length: int) -> str:
    """The head of a column of the picture."""
    if anchor == "start":
        return f"Step {place}"
    return f"{length - place} before" if place < length else "The end"


async def _ways(
    warehouse: Warehouse, view: View, goal: str, *, is_whole: bool, order: str = "sessions", before: Period | None
) -> pd.DataFrame:
    """The 100 first ways from the start or to a goal, whole or by their step at that end."""
    nowhere = date.max  # no comparison: no day
    bound = {
        "before_start": before.start if before else nowhere,
        "before_end": before.end if before else nowhere,
        "earliest": min(before.start, view.period.start) if before else view.period.start,
        "anchor": "start" if goal == "start" else "end",
    }
    found = await warehouse.frame(_WAYS, {**view.parameters(), **bound})
    is_asked = (found["goal"] == goal) & (found["is_whole"] == is_whole) & (found["by"] == order)
    frame = found[is_asked].sort_values([order, "sessions"], ascending=False, kind="stable", ignore_index=True)
    for name, part, whole in (
        ("share", "sessions", "whole"),
        ("share_of_purchases", "purchases", "whole_purchases"),
        ("share_before", "sessions_before", "whole_before"),
        ("conversion", "purchases", "sessions"),
        ("alone_share", "alone", "sessions"),
    ):
        values = [share(*pair) for pair in zip(frame[part], frame[whole], strict=True)]
        frame[name] = pd.Series(values, index=frame.index, dtype=object)
    return frame


async def begins(warehouse: Warehouse, view: View, order: str = "sessions") -> pd.DataFrame:
    """A row for each first step: how many sessions began with it, left after it, bought in the end."""
    return _by_step(await _ways(warehouse, view, "start", is_whole=False, order=order, before=view.before))


async def leaves(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each last step of the sessions without a purchase."""
    return _by_step(await _ways(warehouse, view, "exit", is_whole=False, before=view.before))


def _by_step(frame: pd.DataFrame) -> pd.DataFrame:
    frame["step"] = [told(step) for [step] in frame["way"]]
    return frame


async def first_steps(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each of the ways that sessions began with."""
    order = ORDER.chosen(view)
    frame = await _ways(warehouse, view, "start", is_whole=True, order=order, before=view.before)
    return _in_columns(frame, [list(map(told, way)) for way in frame["way"]])


async def last_steps(warehouse: Warehouse, view: View, goal: str) -> pd.DataFrame:
    """A row for each of the ways up to a purchase or to an exit, which itself is left out."""
    frame = await _ways(warehouse, view, goal, is_whole=True, before=view.before)
    ways = [[told(step) for step in way[:-1]] for way in frame["way"]]
    return _in_columns(frame, [[*[""] * (LONGEST - 1 - len(way)), *way] for way in ways])


def _in_columns(frame: pd.DataFrame, ways: list[list[str]]) -> pd.DataFrame:
    for place in range(LONGEST):
        frame[f"step_{place + 1}"] = [way[place] if place < len(way) else "" for way in ways]
    return frame


async def totals(warehouse: Warehouse, view: View, period: Period) -> tuple[dict[str, Any], pd.DataFrame]:
    """The numbers of the boxes, and what they are made of by day."""
    bound = view.parameters(period)
    days, medians = await asyncio.gather(warehouse.frame(_DAYS, bound), warehouse.frame(_PAGES, bound))
    pages = dict(zip(medians["is_buyer"], medians["pages"], strict=True))
    sums = {name: int(days[name].sum()) for name in ("sessions", "single", "long")}
    days = days.copy()
    for name in ("single", "long"):
        days[f"{name}_share"] = [share(*pair) for pair in zip(days[name], days["sessions"], strict=True)]
    return {
        "sessions": sums["sessions"],
        "single": share(sums["single"], sums["sessions"]),
        "long": share(sums["long"], sums["sessions"]),
        "pages": pages.get(True),
        "other_pages": pages.get(False),
    }, days
