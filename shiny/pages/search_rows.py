"""Rows of the search page: by day, by term, and of a period."""

from __future__ import annotations

from typing import Any

import pandas as pd

import banner
from formats import besides, is_missing, share
from periods import Period
from queries import PERIOD, SEGMENT, Warehouse
from view import View

_COUNTS = """sum(searches)::bigint as searches, sum(searches - clicked)::bigint as unclicked,
    sum(without_results)::bigint as without_results"""
_DAYS = f"""
    with days as (select generate_series(%(start)s::date, %(end)s::date, interval '1 day')::date as at),
    found as (select local_date, {_COUNTS} from agg_daily_search where {PERIOD} and {SEGMENT} group by local_date)
    select
        days.at, coalesce(searches, 0) as searches, coalesce(unclicked, 0) as unclicked,
        coalesce(without_results, 0) as without_results
    from days left join found on found.local_date = days.at order by days.at
"""
_SESSIONS = f"""
    select count(*) as sessions, count(*) filter (where search_count > 0) as searched
    from fact_sessions where {PERIOD} and {SEGMENT}
"""
_MONEY = f"""
    select currency, sum(orders)::bigint as orders, sum(revenue) as revenue
    from agg_daily_search where {PERIOD} and {SEGMENT} and orders > 0 group by currency order by currency
"""
#: One row for each term: a search has no currency until an order gives it one, so that it would be torn apart by it.
_TERMS = f"""
    with found as (
        select
            term, currency, {_COUNTS}, sum(sessions)::bigint as sessions, sum(orders)::bigint as orders, sum(revenue) as revenue
        from agg_daily_search where {PERIOD} and {SEGMENT} group by term, currency
    )
    select
        term, sum(searches)::bigint as searches, sum(unclicked)::bigint as unclicked,
        sum(without_results)::bigint as without_results, sum(sessions)::bigint as sessions,
        sum(orders)::bigint as orders, coalesce(sum(revenue) filter (where currency = %(currency)s), 0) as revenue,
        string_agg(round(revenue, 2) || ' ' || currency, ' + ' order by currency)
            filter (where currency <> %(currency)s and revenue <> 0) as others
    from found
    group by term order by searches desc, term limit 200
"""
_UNCLICKED = f"""
    select term, {_COUNTS} from agg_daily_search where {PERIOD} and {SEGMENT}
    group by term having sum(searches - clicked) > 0 order by unclicked desc, term limit 100
"""
_BEFORE = "local_date between %(before_start)s and %(before_end)s"
#: In one go over both periods, not as a join of two: how many terms a segment has is beyond the planner. What is left has no
#: search before, so that its sums are those of the period.
_NEW = f"""
    select term, {_COUNTS} from agg_daily_search where ({PERIOD} or {_BEFORE}) and {SEGMENT}
    group by term having sum(searches) > 0 and coalesce(sum(searches) filter (where {_BEFORE}), 0) = 0
    order by searches desc, term limit 100
"""


def _with_shares(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy()
    for name in ("unclicked", "without_results"):
        frame[f"{name}_share"] = [share(*pair) for pair in zip(frame[name], frame["searches"], strict=True)]
    return frame


async def by_day(warehouse: Warehouse, view: View, period: Period) -> pd.DataFrame:
    """A row for each day: searches, those nobody clicked and those without results, and their shares."""
    return _with_shares(await warehouse.frame(_DAYS, view.parameters(period)))


async def totals(warehouse: Warehouse, view: View, period: Period, currency: str) -> dict[str, Any]:
    """The numbers of a period. `revenue` is in the shop's currency; `others` tells the rest."""
    days = await by_day(warehouse, view, period)
    sessions = (await warehouse.frame(_SESSIONS, view.parameters(period))).iloc[0]
    found = await warehouse.frame(_MONEY, view.parameters(period))
    revenue = dict(zip(found["currency"], found["revenue"], strict=True))
    searches = int(days["searches"].sum())
    return {
        "searches": searches,
        "sessions": int(sessions["searched"]),
        "sessions_share": share(sessions["searched"], sessions["sessions"]),
        "unclicked_share": share(days["unclicked"].sum(), searches),
        "without_results_share": share(days["without_results"].sum(), searches),
        "own_orders": int(found["orders"][found["currency"] == currency].sum()),
        "revenue": revenue.pop(currency, 0),
        "others": besides(revenue.items()),
    }


async def trend(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """The days of the period with `before`, the searches of the comparison. Empty when nobody searched."""
    frame = await by_day(warehouse, view, view.period)
    if view.before:
        earlier = await by_day(warehouse, view, view.before)
        frame["before"] = earlier["searches"].reindex(frame.index)
    else:
        frame["before"] = None
    bounds = await banner.bounds(warehouse)
    frame["is_open"] = [bounds is not None and at > bounds.complete for at in frame["at"]]
    return frame if frame["searches"].sum() or frame["before"].fillna(0).sum() else frame[:0]


async def terms(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """The 200 terms that are searched for most."""
    bounds = await banner.bounds(warehouse)
    currency = bounds.currency if bounds else ""
    frame = _with_shares(await warehouse.frame(_TERMS, {**view.parameters(), "currency": currency}))
    frame["clicked_share"] = [None if is_missing(part) else 1 - part for part in frame["unclicked_share"]]
    frame["revenue_each"] = [share(*pair) for pair in zip(frame["revenue"], frame["searches"], strict=True)]
    frame["currency"] = currency
    return frame


async def unclicked(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """The 100 terms with the most searches that nobody clicked."""
    return _with_shares(await warehouse.frame(_UNCLICKED, view.parameters()))


async def new_terms(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """The 100 most searched terms that the comparison does not have."""
    before = view.before or Period(view.period.start, view.period.end)  # without one, nothing is new
    bound = {**view.parameters(), "before_start": before.start, "before_end": before.end}
    return _with_shares(await warehouse.frame(_NEW, bound))
