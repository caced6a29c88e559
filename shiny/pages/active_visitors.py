"""Active visitors of each day, of its week and of its month, counted without counting distinct.

A visitor's day e whose previous day is p is the first one of theirs in the w days up to d when e <= d <= e + w - 1 and
p < d - w + 1. So it counts on the days from max(e, p + w) to e + w - 1: one more on the first of them, one less after the last.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd

from formats import share
from periods import Period
from queries import PERIOD, SEGMENT, Warehouse
from view import View

#: Days in each trailing window.
WINDOWS = {"dau": 1, "wau": 7, "mau": 30}
#: Of the rows that the view counts: with bots among them, the visitor's days of both kinds follow each other.
PREVIOUS = "case when %(bots)s then previous_on_any else previous_on end"

#: A previous day that no window reaches is as good as none, which keeps the groups few.
_ACTIVE = f"""
    with seen as (
        select local_date, case when {PREVIOUS} > local_date - 30 then {PREVIOUS} end as previous, count(*) as visitors
        from {{days}}
        where local_date between %(start)s::date - 29 and %(end)s and {SEGMENT}
        group by 1, 2
    ),
    windows (days) as (values (1), (7), (30)),
    changes as (
        select windows.days, greatest(seen.local_date, seen.previous + windows.days) as at, seen.visitors
        from seen cross join windows
        union all
        select windows.days, seen.local_date + windows.days, -seen.visitors from seen cross join windows
    ),
    calendar as (select generate_series(%(start)s::date - 29, %(end)s::date, interval '1 day')::date as at),
    running as (
        select
            calendar.at,
            sum(coalesce(sum(changes.visitors) filter (where changes.days = 1), 0)) over so_far as dau,
            sum(coalesce(sum(changes.visitors) filter (where changes.days = 7), 0)) over so_far as wau,
            sum(coalesce(sum(changes.visitors) filter (where changes.days = 30), 0)) over so_far as mau
        from calendar left join changes on changes.at = calendar.at
        group by calendar.at
        window so_far as (order by calendar.at)
    )
    select at, dau::bigint as dau, wau::bigint as wau, mau::bigint as mau from running where at >= %(start)s order by at
"""
#: Each visitor once, on their first day in the period; without a day before it they are new.
_RETURNING = f"""
    select count(*) as visitors, count({PREVIOUS}) as returning_visitors
    from {{days}}
    where {PERIOD} and {SEGMENT} and ({PREVIOUS} is null or {PREVIOUS} < %(start)s)
"""


async def active(warehouse: Warehouse, view: View, period: Period) -> pd.DataFrame:
    """A row for each day: `at`, `dau`, `wau`, `mau`, `stickiness`. Windows that begin before the data does are null: they would
    only tell of its beginning."""
    frame = (await warehouse.frame(_ACTIVE.format(**view.counted), view.parameters(period))).copy()
    for name, days in WINDOWS.items():
        is_whole = [at - timedelta(days=days - 1) >= view.first for at in frame["at"]]
        frame[name] = frame[name].astype("Int64").where(is_whole)
    frame["stickiness"] = [None if pd.isna(m) else share(d, m) for d, m in zip(frame["dau"], frame["mau"], strict=True)]
    return frame


async def summary(warehouse: Warehouse, view: View, period: Period) -> dict[str, Any]:
    """The numbers of a period: the average `dau`; `wau`, `mau` and `stickiness` at its end; the `returning` share, and of how
    many `visitors`. Null where
    the data does not reach back far enough."""
    frame = await active(warehouse, view, period)
    found = (await warehouse.frame(_RETURNING.format(**view.counted), view.parameters(period))).iloc[0]
    end = {name: None if pd.isna(value) else int(value) for name, value in frame[["wau", "mau"]].iloc[-1].items()}
    average = float(frame["dau"].mean())
    return {
        "dau": average,
        "wau": end["wau"],
        "mau": end["mau"],
        "stickiness": share(average, end["mau"]),
        "returning": share(found["returning_visitors"], found["visitors"]),
        "visitors": int(found["visitors"]),
    }
