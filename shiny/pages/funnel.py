"""Funnel: how far visitors come on the way to an order, and where they leave it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pandas as pd
import plotly.graph_objects as go

import charts
import flow_charts
from boxes import Box, Boxes
from cards import Card, Column
from formats import SMALL, is_missing, share
from names import in_words, spelled
from pages.funnel_rows import (
    BY,
    UNIT,
    breakdown,
    by_time,
    median_time,
    reached,
    shop,
    steps,
    times,
    trend,
)
from periods import Period
from queries import Warehouse
from view import View

TITLE = "Funnel"
ABOUT = (
    "How far visitors come on the way to an order, and where they leave it. A step counts at or after the one before it: "
    "within one session, or by one visitor within 7 days of their first step."
)
_NOBODY = (
    "Nobody reached the first step in this period and with these filters. The shop names its steps in "
    "CLICKSTREAM_FUNNEL_STEPS; each is the name of an event."
)


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    now, before, days, own = await asyncio.gather(
        _numbers(warehouse, view, view.period),
        _numbers(warehouse, view, view.before),
        by_time(warehouse, view, view.period),
        shop(warehouse),
    )
    who = UNIT.choices[UNIT.chosen(view)]
    names = [spelled(name) for name in own["steps"]]
    worst = now["worst"]
    drops = before.get("drops") or ()
    closed = days[~days["is_open"]] if (~days["is_open"]).any() else days
    shown = [
        Box(
            "entered",
            f"{who} that entered",
            "entered",
            now["entered"],
            before.get("entered"),
            line=list(days["entered"]),
        ),
        Box(
            "finished",
            f"{who} to the end",
            "to the end",
            now["finished"],
            before.get("finished"),
            line=list(closed["finished"]),
        ),
        Box(
            "overall",
            "Overall rate",
            "overall rate",
            now["overall"],
            before.get("overall"),
            kind="percent",
            of=now["entered"],
            of_before=before.get("entered"),
            line=list(closed["rate"]),
        ),
        Box(
            "drop",
            "Biggest drop",
            "biggest drop",
            now["drops"][worst] if worst is not None else None,
            drops[worst] if worst is not None and drops else None,
            kind="percent",
            is_less_better=True,
            note=f"{names[worst]} › {names[worst + 1]}" if worst is not None else "",
        ),
        Box(
            "median",
            "Median time to convert",
            "time to convert",
            now["median"],
            before.get("median"),
            kind="duration",
            is_less_better=True,
        ),
    ]
    return f"{view.period}{', not over yet and so not compared' if view.is_going_on else ''}", shown


async def _numbers(warehouse: Warehouse, view: View, period: Period | None) -> dict[str, Any]:
    if period is None:
        return {}
    counts, median = await asyncio.gather(reached(warehouse, view, period), median_time(warehouse, view, period))
    rates = [share(n, was) for was, n in pairwise(counts)]
    drops = [None if rate is None else 1 - rate for rate in rates]
    known = [place for place, drop in enumerate(drops) if drop is not None]
    return {
        "entered": counts[0],
        "finished": counts[-1],
        "overall": share(counts[-1], counts[0]),
        "drops": drops,
        "worst": max(known, key=lambda place: drops[place] or 0.0, default=None),
        "median": median,
    }


def _draw_steps(frame: pd.DataFrame, view: View) -> go.Figure:
    return flow_charts.funnel(
        list(frame["step"]), [int(n) for n in frame["reached"]], name=UNIT.choices[UNIT.chosen(view)].lower()
    )


def draw_breakdown(frame: pd.DataFrame, view: View) -> go.Figure:
    """Rates from step to step, each column's best one darkest. A handful is told as pieces, without a colour."""
    top = frame[:12]
    values = [in_words(BY.chosen(view), value) for value in top["value"]]
    names = [*frame["names"].iat[0][1:], "Overall"]
    counts = list(top["reached"])
    cells = [
        [*((n, was) for was, n in pairwise(row)), (row[-1], row[0])] for row in counts
    ]  # what reached a step, of what was at the one before
    rates = [[share(n, was) if was >= SMALL else None for n, was in row] for row in cells]
    best = [max((row[place] or 0 for row in rates), default=0) or 1 for place in range(len(names))]
    made = charts.heatmap(
        [charts.shortened(name, 14) for name in names],
        [
            charts.shortened(f"{value} · {n:,}")
            for value, n in zip(charts.told_apart(values, 20), top["entered"], strict=True)
        ],
        [[None if rate is None else rate / best[i] for i, rate in enumerate(row)] for row in rates],
        name="",
    )
    texts = [
        [f"{n} of {was}" if rate is None else f"{100 * rate:.1f} %" for (n, was), rate in zip(*pair, strict=True)]
        for pair in zip(cells, rates, strict=True)
    ]
    made.update_traces(text=texts, texttemplate="%{text}", hovertemplate="%{y}<br>%{x}: %{text}<extra></extra>")
    made.update_traces(zmin=0, zmax=1.6, hoverongaps=True)
    return made.update_layout(xaxis_side="top", xaxis_fixedrange=True)


def _draw_trend(frame: pd.DataFrame, view: View) -> go.Figure:
    def scaled(values: Sequence[Any]) -> list[float | None]:
        return [None if is_missing(value) else 100 * float(value) for value in values]

    x, now = list(frame["at"]), scaled(frame["rate"])
    before = scaled(frame["rate_before"]) if view.before else None
    made = charts.lines(x, now, before, name="Overall rate", before_name=str(view.before or ""), is_open=False)
    closed = int((~frame["is_open"]).sum())
    if closed < len(x):  # more than one day can still grow: those whose visitors have time left
        made.data[1].update(x=x[:closed], y=now[:closed])
        made.data[2].update(x=x[max(0, closed - 1) :], y=now[max(0, closed - 1) :])
    return made.update_layout(yaxis_ticksuffix=" %")


def _draw_times(frame: pd.DataFrame, view: View) -> go.Figure:
    texts = [  # with tenths of a percent for what would round to nothing
        f"{n:,} · {100 * part:.{0 if part >= 0.01 else 1}f} %" if n else ""
        for n, part in zip(frame["finished"], frame["share"], strict=True)
    ]
    name = UNIT.choices[UNIT.chosen(view)]
    made = charts.bars(frame["span"], frame["finished"], name=name, texts=texts)
    return made.update_traces(width=0.75 * min(1.0, len(frame) / 5))


def _of_device(device: str) -> Card:
    """The funnel of one kind of device, for two of them side by side."""

    async def rows(warehouse: Warehouse, view: View) -> pd.DataFrame:
        if view.device and device not in view.device:
            return pd.DataFrame(columns=list(_STEPS))
        return await steps(warehouse, replace(view, device=(device,)))

    words = in_words("device", device)
    return Card(
        f"{device}_steps",
        f"Steps on {'phones' if device == 'mobile' else 'desktops'}",
        "The steps as above, of sessions on this kind of device.",
        rows,
        _STEPS,
        _draw_steps,
        (UNIT,),
        width=6,
        height="300px",
        empty=f"Nobody here reached the first step on this kind of device ({words.lower()}).",
    )


_STEPS = {
    "step": Column("Step"),
    "reached": Column("Reached", "count"),
    "step_rate": Column("Of the step before %", "percent"),
    "overall": Column("Of all %", "percent"),
    "lost": Column("Left before it", "count"),
    "reached_before": Column("Comparison: reached", "count"),
    "step_rate_before": Column("Comparison: of the step before %", "percent"),
    "overall_before": Column("Comparison: of all %", "percent"),
    "lost_before": Column("Comparison: left before it", "count"),
}
PARTS = (
    Boxes("boxes", _boxes),
    Card(
        "steps",
        "Steps",
        "How many reached each step in order. The striped part left before the step. Sessions count on the date of their first "
        "event; a visitor once, from their first step in the period on, and those of the last 7 days still have time. Filters "
        "mean the visitor's session with that step.",
        steps,
        _STEPS,
        _draw_steps,
        (UNIT,),
        width=7,
        empty=_NOBODY,
    ),
    Card(
        "times",
        "Time to convert",
        "Whole seconds from the first step to the last, of those that reached it in order. The comparison's shares are in the "
        "table.",
        times,
        {
            "span": Column("Time"),
            "finished": Column("Reached the last step", "count"),
            "share": Column("Share %", "percent"),
            "share_before": Column("Comparison: share %", "percent"),
        },
        _draw_times,
        (UNIT,),
        width=5,
        empty="Nobody reached the last step in this period and with these filters. Try a longer period.",
    ),
    _of_device("mobile"),
    _of_device("desktop"),
    Card(
        "breakdown",
        "Breakdown",
        "The share of those at a step that reached the next one; the darker, the better within its column. Fewer than 10 are "
        "told as pieces. A category counts sessions, also when visitors are chosen: of events that name it or none at all. The "
        "chart has the 12 largest, the table the 100 first. Click one to filter.",
        breakdown,
        {
            "value": Column("Of", sets=BY),
            "entered": Column("Entered", "count"),
            "counts_told": Column("Reached each step"),
            "rates_told": Column("Of the step before"),
            "finished": Column("Reached the last step", "count"),
            "overall": Column("Overall %", "percent"),
        },
        draw_breakdown,
        (BY, UNIT),
        height="400px",
        empty=_NOBODY,
    ),
    Card(
        "trend",
        "Overall rate per day",
        "Those that reached the last step / those with the first one, each day on its own (each hour, when it is one day), with "
        "the comparison dashed behind it. What can still grow is dotted: a visitor has 7 days.",
        trend,
        {
            "at": Column("Time", "date", sets="day"),
            "entered": Column("Entered", "count"),
            "finished": Column("Reached the last step", "count"),
            "rate": Column("Overall %", "percent"),
            "rate_before": Column("Comparison: overall %", "percent"),
        },
        _draw_trend,
        (UNIT,),
        height="300px",
        empty=_NOBODY,
    ),
)
