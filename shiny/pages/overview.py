"""Overview: how the shop does, today and in the period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from htmltools import TagList, tags

import bands
import charts
from banner import bounds
from boxes import Box, Boxes
from cards import Card, Column, Draw, Option
from formats import besides, share
from names import in_words
from pages import overview_money, unusual
from pages.totals import BEHIND, DEFINED, METRICS, MONEY, by_time, latest_day, so_far, totals
from queries import PERIOD, SEGMENT, Warehouse
from view import View

TITLE = "Overview"
ABOUT = "How the shop does in the period, and today so far. Click a number to see it over time."

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: Of these the trend shows what is usual.
COUNTED = ("visitors", "sessions", "orders", "revenue")
_KINDS = {"conversion": "percent", **dict.fromkeys(MONEY, "money")}
METRIC = Option("metric", "Show", METRICS)
PLACE = Option("pages", "Show", {"views": "Most viewed", "entries": "Entry pages", "exits": "Exit pages"})

_HEAT = f"""
    select extract(isodow from local_date)::integer as weekday, local_hour, sum(sessions)::bigint as sessions
    from agg_hourly_traffic where {PERIOD} and {SEGMENT}
    group by weekday, local_hour order by weekday, local_hour
"""
_PAGES = """
    select page_path, sum(views)::bigint as views, sum(entries)::bigint as entries, sum(exits)::bigint as exits
    from {table} where {where}
    group by page_path having sum({order}) > 0 order by sum({order}) desc, page_path limit 100
"""
_SEGMENT_SHARE = f"""
    select
        {{column}} as value, sum(sessions)::bigint as sessions, sum(sessions_with_purchase)::bigint as purchases,
        (sum(sum(sessions)) over ())::bigint as whole
    from {{table}} where {PERIOD} and {SEGMENT}
    group by {{column}} order by sessions desc, value limit 100
"""


async def _today(warehouse: Warehouse, view: View) -> tuple[TagList, Sequence[Box]]:
    day, when = await latest_day(warehouse)
    now, before = await so_far(warehouse, view, (day, day - timedelta(days=7)))
    recent = await by_time(warehouse, view, (day - timedelta(days=13), day))
    against = f", against the {day:%A} before" if before else ""
    head = TagList(f"{day:%A %-d %B}, {when}{against}")
    if when.startswith("until"):
        head.append(
            tags.button("Nothing after that is shown yet; see Now", type="button", class_="hint", data_page="now")
        )
    return head, _boxes("today", now, before, recent)


async def _period(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    if view.is_going_on:  # compared with as much of the other day
        other = view.other
        now, before = await so_far(warehouse, view, (view.period.end, other.end if other else None))
    else:
        now = await totals(warehouse, view, view.period)
        before = await totals(warehouse, view, view.before) if view.before else {}
    recent = await by_time(warehouse, view, (view.period.start, view.period.end))
    return str(view.period), _boxes("period", now, before, recent)


def _boxes(prefix: str, now: dict[str, Any], before: dict[str, Any], recent: pd.DataFrame) -> list[Box]:
    notes = {"revenue": now["others"], "net": now.get("net_others", {})}
    return [
        Box(
            f"{prefix}_{name}",
            label,
            "visitors so far" if (prefix, name) == ("today", "visitors") else DEFINED[name],
            now[name],
            before.get(name),
            kind=_KINDS.get(name, "count"),
            unit=now["currency"] if name in MONEY else "",
            line=list(recent[name][~recent["is_open"]]),
            note=besides(notes.get(name, {}).items()),
            of=now[BEHIND[name]] if name in BEHIND else None,
            of_before=before.get(BEHIND.get(name, "")),
            is_less_better=name == "refunds",
            is_average=name == "order_value",
            chooses=("overview_trend-metric", name) if prefix == "period" else None,
        )
        for name, label in METRICS.items()
        if name in now
    ]


async def _trend(warehouse: Warehouse, view: View) -> pd.DataFrame:
    period, before = view.period, view.other
    frame = (await by_time(warehouse, view, (period.start, period.end))).copy()
    if before:
        earlier = await by_time(warehouse, view, (before.start, before.end))
        for name in METRICS:
            frame[f"{name}_before"] = earlier[name].reindex(frame.index)
    if period.start < period.end:
        await _add_usual(warehouse, view, frame)
    return frame


async def _add_usual(warehouse: Warehouse, view: View, frame: pd.DataFrame) -> None:
    """The usual range of each day that is over, of what is counted."""
    shop = await bounds(warehouse)
    first = view.period.start - timedelta(days=bands.DAYS_BEFORE)
    history = await by_time(warehouse, view, (first, view.period.end))
    for name in COUNTED:
        values = [
            None if shop is None or at < shop.first else float(value)
            for at, value in zip(history["at"], history[name], strict=True)
        ]
        usual = bands.usual_ranges(values)[-len(frame) :]
        is_open = frame["is_open"]
        frame[f"{name}_usual"] = [None if open_ else one for one, open_ in zip(usual, is_open, strict=True)]


def _draw_trend(frame: pd.DataFrame, view: View) -> go.Figure:
    name = METRIC.chosen(view)
    before = list(frame[f"{name}_before"]) if view.other else None
    scale = 100 if name == "conversion" else 1
    made = charts.lines(
        list(frame["at"]),
        [None if value is None or value != value else float(value) * scale for value in frame[name]],
        None if before is None else [None if v is None or v != v else float(v) * scale for v in before],
        name=METRICS[name],
        before_name=str(view.other or ""),
        is_open=bool(frame["is_open"].iloc[-1]),
        usual=list(frame[f"{name}_usual"]) if f"{name}_usual" in frame else (),
    )
    return made.update_layout(yaxis_ticksuffix=" %" if name == "conversion" else "")


async def _heat(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await warehouse.frame(_HEAT, view.parameters())


def _draw_heat(frame: pd.DataFrame, _: View) -> go.Figure:
    grid = frame.pivot_table(index="weekday", columns="local_hour", values="sessions", aggfunc="sum")
    grid = grid.reindex(index=range(1, 8), columns=range(24)).fillna(0)
    return charts.heatmap([f"{hour:02}" for hour in range(24)], WEEKDAYS, grid.to_numpy().tolist(), name="sessions")


async def _pages(warehouse: Warehouse, view: View) -> pd.DataFrame:
    table = "agg_daily_page_segments" if view.is_segmented else "agg_daily_pages"
    where = f"{PERIOD} and {SEGMENT}" if view.is_segmented else f"{PERIOD} and (%(bots)s or not is_bot)"
    order = PLACE.chosen(view)
    return await warehouse.frame(_PAGES.format(table=table, where=where, order=order), view.parameters())


def _draw_pages(frame: pd.DataFrame, view: View) -> go.Figure:
    name = PLACE.chosen(view)
    return charts.bars(frame["page_path"][:12], frame[name][:12], name=PLACE.choices[name])


def _by(column: str, table: str = "agg_daily_acquisition") -> Any:
    async def rows(warehouse: Warehouse, view: View) -> pd.DataFrame:
        frame = (await warehouse.frame(_SEGMENT_SHARE.format(column=column, table=table), view.parameters())).copy()
        frame["share"] = [share(*pair) for pair in zip(frame["sessions"], frame["whole"], strict=True)]
        frame["conversion"] = [share(*pair) for pair in zip(frame["purchases"], frame["sessions"], strict=True)]
        return frame

    return rows


def _draw_share(dimension: str) -> Draw:
    def draw(frame: pd.DataFrame, _: View) -> go.Figure:
        top = frame[:10]
        words = [in_words(dimension, value) for value in top["value"]]
        texts = [f"{100 * part:.1f} %" for part in top["share"]]
        return charts.bars(words, top["sessions"], name="Sessions", texts=texts, keys=top["value"])

    return draw


def _share_columns(label: str, dimension: str) -> dict[str, Column]:
    return {
        "value": Column(label, sets=dimension),
        "sessions": Column("Sessions", "count"),
        "share": Column("Share %", "percent", of="whole"),
        "conversion": Column("Conversion %", "percent", of="sessions"),
    }


PARTS = (
    Boxes("period", _period, look="large"),
    Boxes("unusual", unusual.rows),
    Card(
        "trend",
        "Trend",
        "Each day of the period, or each hour when it is one day. The comparison is dashed; what is not over yet is dotted. "
        "The band is the usual range of a day: its weekday in the eight weeks before, for as large as the shop is now.",
        _trend,
        {
            "at": Column("Time", "date", sets="day"),
            **{name: Column(label, _KINDS.get(name, "count")) for name, label in METRICS.items()},
        },
        _draw_trend,
        (METRIC,),
        height="300px",
    ),
    Boxes("today", _today, look="line"),
    *overview_money.CARDS,
    Card(
        "heat",
        "Sessions by hour and weekday",
        "When sessions begin, in the shop's time zone. A session counts in the hour of its first event.",
        _heat,
        {
            "weekday": Column("Weekday (1 is Monday)", "count"),
            "local_hour": Column("Hour", "count"),
            "sessions": Column("Sessions", "count"),
        },
        _draw_heat,
        width=6,
    ),
    Card(
        "pages",
        "Pages",
        "Views are page views and product views; an entry page is a session's first page, an exit page its last.",
        _pages,
        {
            "page_path": Column("Page", sets="path"),
            "views": Column("Views", "count"),
            "entries": Column("Entries", "count"),
            "exits": Column("Exits", "count"),
        },
        _draw_pages,
        (PLACE,),
        width=6,
    ),
    Card(
        "countries",
        "Countries",
        "Sessions by the first country that an event of the session names. Click one to filter.",
        _by("country"),
        _share_columns("Country", "country"),
        _draw_share("country"),
        width=6,
    ),
    Card(
        "devices",
        "Devices",
        "Sessions by the kind of device. Click one to filter.",
        _by("device_type"),
        _share_columns("Device", "device"),
        _draw_share("device"),
        width=6,
    ),
    Card(
        "browsers",
        "Browsers",
        "Sessions by the family of the browser, whatever its version; inside of an app it is the app.",
        _by("browser", "agg_daily_browsers"),
        _share_columns("Browser", "browser"),
        _draw_share("browser"),
        width=6,
    ),
    Card(
        "systems",
        "Operating systems",
        "Sessions by the family of the operating system, whatever its version.",
        _by("operating_system", "agg_daily_browsers"),
        _share_columns("System", "system"),
        _draw_share("system"),
        width=6,
    ),
)
