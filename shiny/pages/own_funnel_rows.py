"""Rows of the page of funnels of one's own: what the SQL function `funnel` says of the steps that the address holds."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

import pandas as pd

import own_steps
from cards import Option
from formats import share
from periods import Period
from queries import Problem, Warehouse
from view import View

STEPS = "steps"
UNIT = Option("own-unit", "Count", {"session": "Sessions", "visitor": "Visitors", "person": "People"})
WITHIN = Option(
    "own-within",
    "Within",
    {"session": "one session", "1 hour": "an hour", "1 day": "a day", "7 days": "7 days", "30 days": "30 days"},
)
BY = Option("own-by", "By", {"channel": "Channel", "device": "Device", "country": "Country"})
_COLUMNS = {"channel": "channel", "device": "device_type", "country": "country"}

_FUNNEL = """
    select value, step, units, median_seconds from funnel(
        %(steps)s::jsonb, %(start)s, %(end)s, %(unit)s, %(within)s::interval, %(by)s, %(bots)s, %(channels)s::text[],
        %(devices)s::text[], %(countries)s::text[]
    )
"""
_SHOP = "select funnel_steps from shop_settings"
_SAVED = """
    select label, steps, unit, coalesce(extract(epoch from within), 0)::float8 as seconds from funnels order by place limit 50
"""
#: What there is to choose from: of the last four weeks, the largest ones.
_EVENTS = """
    select event_name as name from fact_session_steps
    where local_date > (select max(local_date) from agg_daily_traffic) - 7 group by 1 order by count(*) desc, 1 limit 12
"""
_PAGES = """
    select 'on ' || page_path as name from agg_daily_pages
    where local_date > (select max(local_date) from agg_daily_traffic) - 28 group by page_path
    order by sum(views) desc, page_path limit 8
"""
_CATEGORIES = """
    select 'of ' || product_category as name from agg_daily_category_funnel
    where local_date > (select max(local_date) from agg_daily_traffic) - 28 group by product_category
    order by sum(sessions) desc, product_category limit 8
"""


async def text(warehouse: Warehouse, view: View) -> str:
    """The steps, a line for each: those of the address, else the shop's own."""
    said = view.option(STEPS, "")
    if said:
        return said
    own = await warehouse.frame(_SHOP)
    return "\n".join(own["funnel_steps"].iat[0][: own_steps.MOST])


async def known(warehouse: Warehouse, view: View) -> dict[str, Any]:
    """For the editor: the text, what there is to choose from, and the saved funnels."""
    written, saved, *found = await asyncio.gather(
        text(warehouse, view), warehouse.frame(_SAVED), *map(warehouse.frame, (_EVENTS, _PAGES, _CATEGORIES))
    )
    names = [name for frame in found for name in frame["name"] if _is_step(name)]
    return {"text": written, "saved": saved, "names": names, "unit": UNIT.chosen(view), "within": WITHIN.chosen(view)}


def _is_step(name: str) -> bool:
    """Can this be typed? A path or a category may hold anything."""
    try:
        return bool(own_steps.parsed(f"{name}\n{name}"))
    except Problem:
        return False


async def reached(warehouse: Warehouse, view: View, period: Period, by: str | None = None) -> pd.DataFrame:
    """Of each value: the list `counts` of what reached each step, and the list `seconds` of the medians."""
    steps = own_steps.parsed(await text(warehouse, view))
    within = WITHIN.chosen(view)
    bound = {
        **view.parameters(period),
        "steps": json.dumps(steps),
        "unit": UNIT.chosen(view),
        "within": None if within == "session" else within,
        "by": by,
    }
    frame = await warehouse.frame(_FUNNEL, bound)
    grouped = frame.groupby("value", sort=False)
    found = pd.DataFrame({"counts": grouped["units"].apply(list), "seconds": grouped["median_seconds"].apply(list)})
    return found.reset_index().assign(names=[list(map(own_steps.told, steps))] * len(found))


async def numbers(warehouse: Warehouse, view: View, period: Period | None) -> dict[str, Any]:
    """What the boxes say; empty where nobody entered."""
    found = await reached(warehouse, view, period) if period else pd.DataFrame()
    if found.empty:
        return {}
    counts, names = found["counts"].iat[0], found["names"].iat[0]
    drops = [None if not was else 1 - n / was for was, n in pairwise(counts)]
    waits = [None if wait != wait else wait for wait in found["seconds"].iat[0][1:]]
    return {
        "entered": counts[0],
        "finished": counts[-1],
        "overall": share(counts[-1], counts[0]),
        "names": names,
        "drops": drops,
        "worst": max(
            (i for i, drop in enumerate(drops) if drop is not None), key=lambda i: drops[i] or 0.0, default=None
        ),
        "waits": waits,
        "slowest": max(
            (i for i, wait in enumerate(waits) if wait is not None), key=lambda i: waits[i] or 0.0, default=None
        ),
    }


async def steps(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each step, with the comparison's numbers beside it. Empty when nobody entered."""
    found = await reached(warehouse, view, view.period)
    columns = ["step", "reached", "step_rate", "overall", "lost", "seconds", "reached_before", "overall_before"]
    if found.empty:
        return pd.DataFrame(columns=columns)
    counts = found["counts"].iat[0]
    before = await reached(warehouse, view, view.before) if view.before else pd.DataFrame()
    earlier = before["counts"].iat[0] if len(before) else [None] * len(counts)
    last = [None, *counts[:-1]]
    frame = pd.DataFrame({"step": found["names"].iat[0], "reached": counts})
    frame["step_rate"] = pd.Series([share(*pair) for pair in zip(counts, last, strict=True)], dtype=object)
    frame["overall"] = [share(n, counts[0]) for n in counts]
    frame["lost"] = pd.Series(
        [None if was is None else was - n for n, was in zip(counts, last, strict=True)], dtype=object
    )
    frame["seconds"] = found["seconds"].iat[0]
    frame["reached_before"] = pd.Series(earlier, dtype=object)
    frame["overall_before"] = pd.Series([share(n, earlier[0]) for n in earlier], dtype=object)
    return frame[columns]


async def breakdown(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each channel, device or country, the largest first."""
    frame = (await reached(warehouse, view, view.period, _COLUMNS[BY.chosen(view)])).copy()
    counts = list(frame["counts"])
    frame["reached"] = counts
    frame["entered"], frame["finished"] = [row[0] for row in counts], [row[-1] for row in counts]
    rates = [[share(n, was) for was, n in pairwise(row)] for row in counts]
    frame["counts_told"] = [" › ".join(f"{n:,}" for n in row) for row in counts]
    frame["rates_told"] = [" › ".join("–" if r is None else f"{100 * r:.1f} %" for r in row) for row in rates]
    frame["overall"] = [share(row[-1], row[0]) for row in counts]
    return frame.sort_values(["entered", "value"], ascending=[False, True], ignore_index=True)[:100]
