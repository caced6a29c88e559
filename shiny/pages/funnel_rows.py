"""Rows of the funnel page: how many reach each step, by whatever they are told apart, and how long they take."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pandas as pd

import banner
from cards import Option
from formats import share
from names import spelled
from periods import Period
from queries import PERIOD, SEGMENT, Warehouse
from view import View

UNIT = Option("funnel-unit", "Count", {"session": "Sessions", "visitor": "Visitors"})
BY = Option(
    "funnel-by",
    "By",
    {"channel": "Channel", "device": "Device", "country": "Country", "category": "Product category"},
)
#: Upper ends in seconds of the buckets of times; the last one has none.
ENDS = (60, 120, 180, 300, 600, 900, 1_800, 3_600, 10_800, 43_200, 86_400, 172_800, 345_600)
BUCKETS = (
    *("under 1 min", "1–2 min", "2–3 min", "3–5 min", "5–10 min", "10–15 min", "15–30 min", "30–60 min"),
    *("1–3 h", "3–12 h", "12–24 h", "1–2 days", "2–4 days", "over 4 days"),
)

_SHOP = """
    select funnel_steps as steps, timezone, ceil(extract(epoch from funnel_window) / 86400)::integer as window_days
    from shop_settings
"""
#: A visitor's first entry in the period, so that nobody counts twice in it.
_FIRST = """case when %(bots)s then previous_on_any is null or previous_on_any < %(start)s
    else previous_on is null or previous_on < %(start)s end"""
#: A visitor's first entry on each date.
_DAILY = "(not %(bots)s or previous_on_any is distinct from local_date)"
_SESSIONS = f"select * from fact_sessions where {PERIOD} and {SEGMENT}"
_VISITORS = f"select * from fact_visitor_funnels where {PERIOD} and {SEGMENT} and {{once}}"
_SUMMED = f"""
    select {{value}} as value, step, sum(sessions)::bigint as reached
    from {{table}} where {PERIOD} and {SEGMENT} group by 1, step
"""
_COUNTED = """
    select {value} as value, step.number as step, count(*) as reached
    from ({source}) as entered inner join (
        select number from shop_settings cross join lateral generate_series(1, cardinality(funnel_steps)) as number
    ) as step on step.number <= entered.funnel_step
    group by 1, step.number
"""
_REACHED = """
    select value, array_agg(reached order by step) as reached from ({found}) as found
    group by value having max(reached) > 0 order by {order} limit {most}
"""
_TIMES = """
    select width_bucket(funnel_seconds, %(ends)s::integer[]) as place, count(*) as finished
    from ({source}) as entered where funnel_seconds is not null group by place order by place
"""
_MEDIAN = """
    select percentile_cont(0.5) within group (order by funnel_seconds) as median
    from ({source}) as entered where funnel_seconds is not null
"""
_VALUES = {"channel": "channel", "device": "device_type", "country": "country", "category": "product_category"}


def is_by_visitor(view: View) -> bool:
    """Whether visitors are counted, and not sessions."""
    return UNIT.chosen(view) == "visitor"


async def shop(warehouse: Warehouse) -> dict[str, Any]:
    """The shop's `steps`, its `timezone`, and how many days a visitor has."""
    frame = await warehouse.frame(_SHOP)
    return {name: frame[name].iat[0] for name in frame.columns}


async def _reached(
    warehouse: Warehouse, view: View, period: Period, value: str, *, is_daily: bool = False
) -> pd.DataFrame:
    """Of each value, the largest first: `reached`, the count at each step."""
    length = len((await shop(warehouse))["steps"])
    if is_by_visitor(view) and value != "product_category":
        source = _VISITORS.format(once=_DAILY if is_daily else _FIRST)
        found = _COUNTED.format(value=value, source=source)
    else:
        table = "agg_daily_category_funnel" if value == "product_category" else "agg_daily_funnel"
        found = _SUMMED.format(value=value, table=table)
    order, most = ("value", 1_200) if is_daily else ("max(reached) desc, value", 100)
    sql = _REACHED.format(found=found, order=order, most=most)
    return _padded(await warehouse.frame(sql, view.parameters(period)), length)


def _padded(frame: pd.DataFrame, length: int) -> pd.DataFrame:
    """With a zero for each step that nobody reached."""
    frame = frame.copy()
    frame["reached"] = [(list(map(int, counts)) + [0] * length)[:length] for counts in frame["reached"]]
    return frame


async def reached(warehouse: Warehouse, view: View, period: Period) -> list[int]:
    """How many reached each step."""
    frame = await _reached(warehouse, view, period, "'all'::text")
    return list(frame["reached"].iat[0]) if len(frame) else [0] * len((await shop(warehouse))["steps"])


async def steps(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each step, with the comparison's numbers beside it. Empty when nobody entered."""
    now, own = await asyncio.gather(reached(warehouse, view, view.period), shop(warehouse))
    frame = pd.DataFrame({"step": [spelled(name) for name in own["steps"]], **_rates(now, "")})
    before = await reached(warehouse, view, view.before) if view.before else []
    for name, values in _rates(before or [None] * len(now), "_before").items():
        frame[name] = pd.Series(values, dtype=object)
    return frame if now[0] else frame[:0]


def _rates(counts: list[Any], suffix: str) -> dict[str, list[Any]]:
    last = [None, *counts[:-1]]
    return {
        f"reached{suffix}": counts,
        f"step_rate{suffix}": [share(*pair) for pair in zip(counts, last, strict=True)],
        f"overall{suffix}": [share(n, counts[0]) for n in counts],
        f"lost{suffix}": [None if was is None else was - n for n, was in zip(counts, last, strict=True)],
    }


async def breakdown(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each channel, device, country or category: what reached each step, and the rates."""
    frame = await _reached(warehouse, view, view.period, _VALUES[BY.chosen(view)])
    counts = list(frame["reached"])
    rates = [[share(n, was) for was, n in pairwise(row)] for row in counts]
    frame["by"] = BY.chosen(view)
    frame["names"] = [[spelled(name) for name in (await shop(warehouse))["steps"]]] * len(frame)
    frame["entered"], frame["finished"] = [row[0] for row in counts], [row[-1] for row in counts]
    frame["rates"] = rates
    frame["counts_told"] = [" › ".join(f"{n:,}" for n in row) for row in counts]
    frame["rates_told"] = [" › ".join("–" if r is None else f"{100 * r:.1f} %" for r in row) for row in rates]
    frame["overall"] = [share(row[-1], row[0]) for row in counts]
    return frame


async def by_time(warehouse: Warehouse, view: View, period: Period) -> pd.DataFrame:
    """A row for each day, or each hour of one day: `at`, `entered`, `finished`, `rate`, and `is_open` while it may still grow."""
    own, bounds = await asyncio.gather(shop(warehouse), banner.bounds(warehouse))
    complete = bounds.complete if bounds else period.end
    window = own["window_days"] if is_by_visitor(view) else 0
    if period.days == 1:
        places: list[Any] = list(range(24))
        found = await _by_hour(warehouse, view, period, own)
        at = [pd.Timestamp(period.start) + pd.Timedelta(hours=hour) for hour in places]
        is_open = [(complete - period.start).days < window] * 24
    else:
        places = at = [day.date() for day in pd.date_range(period.start, period.end)]
        found = await _reached(warehouse, view, period, "local_date", is_daily=True)
        is_open = [(complete - day).days < window for day in places]
    counts = dict(zip(found["value"], found["reached"], strict=True))
    rows = [counts.get(place, [0]) for place in places]
    frame = pd.DataFrame({"at": at, "entered": [row[0] for row in rows], "finished": [row[-1] for row in rows]})
    frame["rate"] = pd.Series([share(row[-1], row[0]) for row in rows], dtype=object)
    frame["is_open"] = is_open
    if period.days == 1 and period.start > complete:  # hours that have not been
        frame = frame[: max(counts, default=0) + 1]
    return frame


async def _by_hour(warehouse: Warehouse, view: View, period: Period, own: dict[str, Any]) -> pd.DataFrame:
    source = _VISITORS.format(once=_DAILY) if is_by_visitor(view) else _SESSIONS
    moment = "entered_at" if is_by_visitor(view) else "started_at"
    value = f"extract(hour from {moment} at time zone %(timezone)s)::integer"
    sql = _REACHED.format(found=_COUNTED.format(value=value, source=source), order="value", most=24)
    parameters = {**view.parameters(period), "timezone": own["timezone"]}
    return _padded(await warehouse.frame(sql, parameters), len(own["steps"]))


async def trend(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """`by_time` with `rate_before`, that of the comparison. Empty when nobody entered."""
    frame = (await by_time(warehouse, view, view.period)).copy()
    earlier = await by_time(warehouse, view, view.before) if view.before else None
    frame["rate_before"] = None if earlier is None else earlier["rate"].reindex(frame.index)
    return frame if frame["entered"].sum() else frame[:0]


def _source(view: View) -> str:
    return _VISITORS.format(once=_FIRST) if is_by_visitor(view) else _SESSIONS


async def median_time(warehouse: Warehouse, view: View, period: Period) -> float | None:
    """Half of those who finish take this many seconds or fewer."""
    frame = await warehouse.frame(_MEDIAN.format(source=_source(view)), view.parameters(period))
    value = frame["median"].iat[0]
    return None if value is None or value != value else float(value)


async def times(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """How many finished in each span of time, from the first span that has any to the last."""
    now = await _times(warehouse, view, view.period)
    before = await _times(warehouse, view, view.before) if view.before else [None] * len(BUCKETS)
    frame = pd.DataFrame({"span": BUCKETS, "finished": now, "share": [share(n, sum(now)) for n in now]})
    whole = sum(n or 0 for n in before)
    frame["share_before"] = pd.Series([share(n, whole) for n in before], dtype=object)
    held = [place for place, n in enumerate(now) if n]
    return frame[min(held) : max(held) + 1].reset_index(drop=True) if held else frame[:0]


async def _times(warehouse: Warehouse, view: View, period: Period) -> list[int]:
    bound = {**view.parameters(period), "ends": list(ENDS)}
    frame = await warehouse.frame(_TIMES.format(source=_source(view)), bound)
    counts = dict(zip(frame["place"], frame["finished"], strict=True))
    return [int(counts.get(place, 0)) for place in range(len(BUCKETS))]
