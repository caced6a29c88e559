"""Retention: how many visitors there are by day, week and month, and how many of them come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pandas as pd
import plotly.graph_objects as go

import charts
from boxes import Box, Boxes
from cards import Card, Column
from pages.active_visitors import WINDOWS, active, summary
from pages.cohorts import SHOW, draw_new_and_returning, draw_triangle, new_and_returning, triangle
from queries import Warehouse
from view import View

TITLE = "Retention"
ABOUT = (
    "Who comes back. The filters mean how a visitor first came: the channel, device and country of the first session."
)

_LABELS = {"dau": "DAU", "wau": "WAU", "mau": "MAU", "stickiness": "Stickiness", "returning": "Returning"}
_METRICS = {"dau": "DAU", "wau": "WAU", "mau": "MAU", "stickiness": "stickiness", "returning": "returning visitors"}


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    now = await summary(warehouse, view, view.period)
    before = await summary(warehouse, view, view.before) if view.before else {}
    days = await active(warehouse, view, view.period)
    boxes = [
        Box(
            name,
            label,
            _METRICS[name],
            now[name],
            before.get(name),
            kind="percent" if name in ("stickiness", "returning") else "count",
            line=[] if name == "returning" else [None if pd.isna(value) else value for value in days[name]],
            note=_missing(name, view) if now[name] is None else "",
            of=now["visitors"] if name == "returning" else None,
            of_before=before.get("visitors"),
        )
        for name, label in _LABELS.items()
    ]
    return str(view.period), boxes


def _missing(name: str, view: View) -> str:
    needed = WINDOWS.get(name, WINDOWS["mau"])
    known = (view.period.end - view.first + timedelta(days=1)).days
    return f"needs {needed} days, there are {known}" if known < needed else ""


async def _active(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await active(warehouse, view, view.period)


async def _stickiness(warehouse: Warehouse, view: View) -> pd.DataFrame:
    frame = await active(warehouse, view, view.period)
    return frame[frame["stickiness"].notna()]


def _draw_active(frame: pd.DataFrame, _: View) -> go.Figure:
    named = [(_LABELS[name], [None if pd.isna(n) else int(n) for n in frame[name]]) for name in WINDOWS]
    return _dated(charts.series(list(frame["at"]), named), frame)


def _draw_stickiness(frame: pd.DataFrame, _: View) -> go.Figure:
    made = charts.series(list(frame["at"]), [("DAU / MAU", [100 * part for part in frame["stickiness"]])])
    return _dated(made, frame).update_layout(yaxis_ticksuffix=" %", yaxis_hoverformat=".1f")


def _dated(made: go.Figure, frame: pd.DataFrame) -> go.Figure:
    """Points where they are few, since a day alone makes no line, and room for the first date beside the axis."""
    made.update_traces(mode="lines+markers" if len(frame) < 40 else "lines", marker_size=5)
    room = timedelta(hours=12)
    first, last = (pd.Timestamp(frame["at"].iloc[place]) for place in (0, -1))
    made.update_layout(xaxis={"showgrid": False, "range": [first - room, last + room]})
    return made.update_layout(xaxis={"tickvals": [first], "tickformat": "%-d %b %Y"}) if first == last else made


_DAYS = {
    "at": Column("Day", "date"),
    "dau": Column("DAU", "count"),
    "wau": Column("WAU", "count"),
    "mau": Column("MAU", "count"),
    "stickiness": Column("DAU / MAU %", "percent", of="mau"),
}
PARTS = (
    Boxes("active", _boxes),
    Card(
        "active_visitors",
        "Active visitors",
        "Distinct visitors of each day, of the 7 days and of the 30 days that end with it. A line begins where the data reaches "
        "back that far.",
        _active,
        _DAYS,
        _draw_active,
        width=7,
    ),
    Card(
        "stickiness",
        "Stickiness",
        "DAU / MAU of each day: the share of the month's visitors that came on it.",
        _stickiness,
        {name: _DAYS[name] for name in ("at", "stickiness", "dau", "mau")},
        _draw_stickiness,
        width=5,
        empty="No day here has 30 days of data before it yet. Choose a period that ends later.",
    ),
    Card(
        "cohorts",
        "Who comes back",
        "A row is a cohort: the visitors whose first day falls in that week (from its Monday), and how many they are. A cell "
        "is the "
        "share of them with an event so many weeks later. The last 12 weeks up to the period's end, or the period's, at most 26. "
        "* is a week that is not over. Shares of fewer than 30 visitors have no colour.",
        triangle,
        {
            "cohort": Column("First week", "date"),
            "visitors": Column("Visitors", "count"),
            "age": Column("Weeks after", "count"),
            "active": Column("Came back", "count"),
            "share": Column("Share %", "percent", of="visitors"),
            "state": Column("Week is"),
        },
        draw_triangle,
        (SHOW,),
        height="460px",
        empty="A cohort shows who came back once it has a second week. Choose a period that ends later.",
    ),
    Card(
        "new_returning",
        "New and returning visitors by week",
        "Distinct visitors of each week (from its Monday): new ones have no day before it. The same weeks as above. * is a "
        "week that "
        "is not over.",
        new_and_returning,
        {
            "week": Column("Week", "date"),
            "new": Column("New", "count"),
            "returning": Column("Returning", "count"),
            "returning_share": Column("Returning %", "percent"),
            "state": Column("Week is"),
        },
        draw_new_and_returning,
        height="300px",
    ),
)
