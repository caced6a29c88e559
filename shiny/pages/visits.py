"""Visits: those of one source, campaign, landing page, search or page that was seen, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

import charts
import flow_charts
from boxes import Box, Boxes
from cards import Card, Column, Option
from dimensions import told
from formats import money, percent
from names import in_words
from pages import visit_rows
from queries import Warehouse, own_currency
from view import View

TITLE = "Visits"
ABOUT = "Visits with one thing in common, and what became of them. Orders and revenue are those of these visits."
METRIC = Option("visits-metric", "Show", {"sessions": "Sessions", "orders": "Orders", "revenue": "Revenue"})
BY = Option(
    "visits-by",
    "By",
    {
        "landing": "Landing page",
        "source": "Source",
        "campaign": "Campaign",
        "channel": "Channel",
        "device": "Device",
        "country": "Country",
    },
)
_BOXES = {
    "sessions": ("Sessions", "session", "count"),
    "new_share": ("New visitors", "new visitor", "percent"),
    "bounce_rate": ("Bounce rate", "bounce", "percent"),
    "conversion": ("Conversion", "conversion rate", "percent"),
    "orders": ("Orders", "order", "count"),
    "revenue": ("Revenue", "revenue", "money"),
}
_NOBODY = "No such visit in this period and with these filters. Try a longer period."


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    now = await visit_rows.totals(warehouse, view, view.period)
    before = await visit_rows.totals(warehouse, view, view.before) if view.before else {}
    days = await visit_rows.by_day(warehouse, view, view.period)
    currency = await own_currency(warehouse)
    behind = {"percent": "sessions", "money": "own_orders"}
    boxes = [
        Box(
            name,
            title,
            metric,
            now[name],
            before.get(name),
            kind=kind,
            unit=currency if kind == "money" else "",
            line=list(days[name]) if name in days else (),
            is_less_better=name == "bounce_rate",
            of=now.get(behind.get(kind, "")),
            of_before=before.get(behind.get(kind, "")),
        )
        for name, (title, metric, kind) in _BOXES.items()
    ]
    return f"{told(view.about)} · {view.period}" if view.about else str(view.period), boxes


def _draw_trend(frame: pd.DataFrame, view: View) -> go.Figure:
    name = METRIC.chosen(view)
    before = [float(value) for value in frame[f"{name}_before"]] if f"{name}_before" in frame else None
    now = [float(value) for value in frame[name]]
    title = METRIC.choices[name]
    return charts.lines(list(frame["at"]), now, before, name=title, before_name=str(view.before or ""), is_open=False)


def _draw_steps(frame: pd.DataFrame, _: View) -> go.Figure:
    return flow_charts.funnel(list(frame["step"]), list(frame["reached"]), name="sessions")


async def _told_apart(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await visit_rows.told_apart(warehouse, view, BY.chosen(view))


def _draw_told_apart(frame: pd.DataFrame, view: View) -> go.Figure:
    top = frame[:12]
    words = [in_words(BY.chosen(view), value) for value in top["value"]]
    texts = [f"{n:,} · {percent(rate)}" for n, rate in zip(top["sessions"], top["conversion"], strict=True)]
    made = charts.bars(words, list(top["sessions"]), name="Sessions", texts=texts, keys=top["value"])
    return made.update_layout(xaxis_title="Sessions · conversion")


def _draw_bought(frame: pd.DataFrame, _: View) -> go.Figure:
    top = frame[frame["currency"] == frame["currency"].iloc[0]][:12]
    revenue: list[Any] = [float(amount) for amount in top["revenue"].fillna(0)]
    return charts.bars(top["name"], revenue, name="Revenue", texts=[money(amount) for amount in revenue])


PARTS = (
    Boxes("period", _boxes),
    Card(
        "trend",
        "Day by day",
        "Each day of the period, the comparison dashed. Orders and revenue are on the date of their visit.",
        visit_rows.trend,
        {
            "at": Column("Day", "date", sets="day"),
            "sessions": Column("Sessions", "count"),
            "orders": Column("Orders", "count"),
            "revenue": Column("Revenue", "money"),
        },
        _draw_trend,
        (METRIC,),
        height="260px",
        empty=_NOBODY,
    ),
    Card(
        "steps",
        "How far they came",
        "Visits, and how many of them reached each step of the shop's funnel in order.",
        visit_rows.steps,
        {
            "step": Column("Step"),
            "reached": Column("Visits", "count"),
            "rate": Column("Of the step before %", "percent"),
        },
        _draw_steps,
        width=6,
        height="400px",
        empty=_NOBODY,
    ),
    Card(
        "by",
        "Who they were",
        "The 100 largest, by sessions, and their conversion. Click one to filter by it, or to see its visits.",
        _told_apart,
        {
            "value": Column("Name", sets=BY),
            "sessions": Column("Sessions", "count"),
            "bounce_rate": Column("Bounce %", "percent", of="sessions"),
            "conversion": Column("Conversion %", "percent", of="sessions"),
            "revenue": Column("Revenue", "money"),
        },
        _draw_told_apart,
        (BY,),
        width=6,
        height="400px",
        empty=_NOBODY,
    ),
    Card(
        "bought",
        "What they bought",
        "Products in the orders of these visits, a row for each currency; the picture is of one. The 200 first.",
        visit_rows.bought,
        {
            "name": Column("Product", sets="product", key="product_id"),
            "currency": Column("Currency"),
            "orders": Column("Orders", "count"),
            "units": Column("Units", "count"),
            "revenue": Column("Revenue", "money"),
        },
        _draw_bought,
        height="380px",
        empty="None of these visits ordered anything.",
    ),
)
