"""Acquisition: where sessions come from, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

import charts
from boxes import Box, Boxes
from cards import Card, Column, Option
from formats import FEW, besides, money, percent
from pages import acquisition_rows
from queries import Warehouse, own_currency
from view import View

TITLE = "Acquisition"
ABOUT = "Where sessions come from, and what becomes of them."

BY = Option(
    "acquisition-by",
    "By",
    {
        "campaign": "Campaign",
        "source": "Source",
        "medium": "Medium",
        "source-medium": "Source / medium",
    },
)

SHOW = Option("acquisition-show", "Show", {"revenue": "Revenue", "sessions": "Sessions"})
LANDING_ORDER = Option("acquisition-landings", "Order by", {"entries": "Entries", "conversion": "Conversion"})
_BOXES = {
    "sessions": (
        "Sessions",
        "session",
        "count",
    ),
    "new_share": (
        "First visits",
        "new visitor",
        "percent",
    ),
    "conversion": ("Conversion", "conversion rate", "percent"),
    "revenue": (
        "Revenue",
        "revenue",
        "money",
    ),
}


async def _period(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    (now, days, others), before, currency = await asyncio.gather(
        acquisition_rows.totals(warehouse, view, view.period),
        _before(warehouse, view),
        own_currency(warehouse),
    )
    notes = {
        "new_share": f"{now['new_visitors']:,} first sessions",
        "conversion": f"{now['purchases']:,} sessions with a purchase",
        "revenue": besides(others.items()),
    }
    boxes = [
        Box(
            name,
            title,
            metric,
            now[name],
            before.get(name),
            kind=kind,
            unit=currency if kind == "money" else "",
            line=list(days[name]),
            note=notes.get(name, ""),
            of=now["own_orders" if kind == "money" else "sessions"],
            of_before=before.get("own_orders" if kind == "money" else "sessions"),
        )
        for name, (title, metric, kind) in _BOXES.items()
    ]
    return str(view.period), boxes


async def _before(warehouse: Warehouse, view: View) -> dict[str, Any]:
    return (await acquisition_rows.totals(warehouse, view, view.before))[0] if view.before else {}


async def _channels(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return _ordered(await acquisition_rows.origins(warehouse, view, "channel"), view)


def _ordered(frame: pd.DataFrame, view: View) -> pd.DataFrame:
    return frame.sort_values([SHOW.chosen(view), "sessions"], ascending=False, kind="stable")


def _draw_origins(frame: pd.DataFrame, view: View) -> go.Figure:
    top = frame[:12]
    if SHOW.chosen(view) == "sessions":
        shares = ["" if part is None else f"{100 * part:.1f} %" for part in top["share"]]
        return charts.bars(top["value"], list(top["sessions"]), name="Sessions", texts=shares)
    values = [float(amount) for amount in top["revenue"]]
    texts = [f"{money(amount)} · {n:,} order{'s'[: n != 1]}" for amount, n in zip(values, top["orders"], strict=True)]
    return charts.bars(top["value"], values, name="Revenue", texts=texts)


async def _origins(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return _ordered(await acquisition_rows.origins(warehouse, view, BY.chosen(view)), view)


def _draw_trend(frame: pd.DataFrame, _: View) -> go.Figure:
    named = [(str(name), rows) for name, rows in frame.groupby("channel", sort=False)]
    times = list(dict.fromkeys(frame["at"]))
    filled = [(name, list(rows["sessions"])) for name, rows in named]
    # Always as many lines, so that the picture that stands is changed and not made again.
    spare: list[tuple[str, list[int]]] = [("", [])] * (acquisition_rows.CHANNELS + 1 - len(filled))
    made = charts.series(times, [*filled, *spare])
    for trace in made.data[len(filled) :]:
        trace.update(x=[], showlegend=False)
    return made


def _draw_new(frame: pd.DataFrame, _: View) -> go.Figure:
    return charts.stacked(
        list(frame["at"]), [("New", list(frame["new_visitors"])), ("Returning", list(frame["returning"]))]
    )


def _draw_referrers(frame: pd.DataFrame, _: View) -> go.Figure:
    top = frame[:12]
    texts = [f"{value:,}" for value in top["sessions"]]
    return charts.bars(top["value"], list(top["sessions"]), name="Sessions", texts=texts)


async def _landings(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await acquisition_rows.landings(warehouse, view, LANDING_ORDER.chosen(view))


def _draw_landings(frame: pd.DataFrame, view: View) -> go.Figure:
    top = frame[:12]
    if LANDING_ORDER.chosen(view) == "conversion":
        texts = [f"{percent(rate)} of {n:,}" for rate, n in zip(top["conversion"], top["entries"], strict=True)]
        made = charts.bars(
            top["page_path"], [100 * rate for rate in top["conversion"]], name="Conversion %", texts=texts
        )
        return made.update_layout(xaxis_title="Conversion of the sessions that began there", xaxis_ticksuffix=" %")
    pairs = zip(top["bounce_rate"], top["entries"], strict=True)
    texts = [f"{100 * rate:.0f} %" if n >= FEW else f"{round(rate * n)} of {n}" for rate, n in pairs]
    made = charts.bars(top["page_path"], list(top["entries"]), name="Entries", texts=texts)
    return made.update_layout(xaxis_title="Entries, and how many of them bounce")


_RATES = {
    "new_share": Column("New %", "percent", of="sessions"),
    "bounce_rate": Column("Bounce %", "percent", of="sessions"),
    "engaged_rate": Column("Engaged %", "percent", of="sessions"),
    "conversion": Column("Conversion %", "percent", of="sessions"),
}
_ORIGIN = {
    "sessions": Column("Sessions", "count"),
    "share": Column("Share %", "percent"),
    **_RATES,
    "orders": Column("Orders", "count"),
    "revenue": Column("Revenue", "money"),
    "others": Column("In other currencies"),
}
_MEANING = (
    "New: the visitor's first session ever. Bounce: one page at most and nothing done. Engaged: two pages, ten seconds, or "
    "an add to cart, checkout or purchase. Conversion: sessions with a purchase / sessions. Revenue is in the shop's currency."
)
_SPANS = "by day, by hour when the period is one day, and by spans of seven days when it is longer than 92 days."
PARTS = (
    Boxes("period", _period),
    Card(
        "channels",
        "Channels",
        "A session's channel comes from its first event with a source: utm tags and click ids, then the referrer, else direct. "
        f"{_MEANING} Click one to filter.",
        _channels,
        {"value": Column("Channel", sets="channel"), **_ORIGIN},
        _draw_origins,
        (SHOW,),
        width=5,
        height="400px",
    ),
    Card(
        "trend",
        "Sessions by channel",
        f"The six largest channels and the others: {_SPANS} The last one may not be over, the first span may be shorter.",
        acquisition_rows.channels_over_time,
        {
            "at": Column("Time", "date"),
            "channel": Column("Channel"),
            "sessions": Column("Sessions", "count"),
        },
        _draw_trend,
        width=7,
        height="400px",
    ),
    Card(
        "origins",
        "Sources, media and campaigns",
        f"Of the 100 with most sessions, as utm tags or the referrer name them; those of no campaign are left out. {_MEANING}",
        _origins,
        {"value": Column("Name", sets=BY), **_ORIGIN},
        _draw_origins,
        (BY, SHOW),
        height="420px",
        face="table",
        empty="Nothing in this period and with these filters. Campaigns appear here when links carry utm_campaign.",
    ),
    Card(
        "landings",
        "Landing pages",
        "The path of the session's first event that has one, and bounces and purchases of the sessions that began there. The 100 "
        f"with most sessions, or those of at least {FEW} sessions that convert best.",
        _landings,
        {
            "page_path": Column("Page", sets="landing"),
            "entries": Column("Entries", "count"),
            "bounce_rate": Column("Bounce %", "percent", of="entries"),
            "purchases": Column("With a purchase", "count"),
            "conversion": Column("Conversion %", "percent", of="entries"),
        },
        _draw_landings,
        (LANDING_ORDER,),
        width=6,
        height="420px",
    ),
    Card(
        "referrers",
        "Referring websites",
        "The 100 websites that most sessions came from by a link: search, social, AI assistants and others.",
        acquisition_rows.referrers,
        {
            "value": Column("Website", sets="source"),
            "channel": Column("Channel"),
            "sessions": Column("Sessions", "count"),
            **_RATES,
        },
        _draw_referrers,
        width=6,
        height="420px",
        empty="No session in this period and with these filters came by a link from another website.",
    ),
    Card(
        "new",
        "New and returning",
        f"Sessions that are their visitor's first ever, and all others: {_SPANS}",
        acquisition_rows.new_and_returning,
        {
            "at": Column("Time", "date"),
            "sessions": Column("Sessions", "count"),
            "new_visitors": Column("New", "count"),
            "returning": Column("Returning", "count"),
            "new_share": Column("New %", "percent", of="sessions"),
        },
        _draw_new,
        height="320px",
    ),
)
