"""Your funnel: any steps, in order, typed on the page or named in funnels.yml."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

import flow_charts
from boxes import Box, Boxes
from cards import Card, Column
from formats import duration
from pages.funnel import draw_breakdown
from pages.own_funnel_rows import BY, UNIT, WITHIN, breakdown, numbers, steps
from queries import Warehouse
from steps_editor import Editor
from view import View

TITLE = "Your funnel"
ABOUT = (
    "How many come how far through any steps, in order. A step counts at or after the one before it, in one session or within "
    "a time from the first step; of several first steps the one that leads furthest counts."
)
_NOBODY = "Nobody did the first step in this period and with these filters. Is it written as the shop sends it?"


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    now, before = await asyncio.gather(numbers(warehouse, view, view.period), numbers(warehouse, view, view.before))
    who = UNIT.choices[UNIT.chosen(view)]
    names, worst, slowest = now.get("names", ()), now.get("worst"), now.get("slowest")

    def between(place: int | None) -> str:
        return f"{names[place]} › {names[place + 1]}" if place is not None else ""

    def at(found: dict[str, object], name: str, place: int | None) -> object:
        values = found.get(name)
        return values[place] if place is not None and isinstance(values, list) else None

    return f"{view.period}{', not over yet and so not compared' if view.is_going_on else ''}", [
        Box(
            "entered", f"{who} that entered", "entered a funnel of your own", now.get("entered"), before.get("entered")
        ),
        Box(
            "finished",
            f"{who} to the end",
            "to the end of a funnel of your own",
            now.get("finished"),
            before.get("finished"),
        ),
        Box(
            "overall",
            "Overall rate",
            "rate of a funnel of your own",
            now.get("overall"),
            before.get("overall"),
            kind="percent",
            of=now.get("entered"),
            of_before=before.get("entered"),
        ),
        Box(
            "drop",
            "Biggest drop",
            "biggest drop",
            at(now, "drops", worst),
            at(before, "drops", worst),
            kind="percent",
            is_less_better=True,
            note=between(worst),
        ),
        Box(
            "slowest",
            "Longest wait",
            "longest wait",
            at(now, "waits", slowest),
            at(before, "waits", slowest),
            kind="duration",
            is_less_better=True,
            note=between(slowest),
        ),
    ]


def _draw_steps(frame: pd.DataFrame, view: View) -> go.Figure:
    """The standing funnel's picture, with the time that each step takes."""
    waits = [f"after {duration(wait)}" for wait in frame["seconds"]]
    return flow_charts.funnel(
        list(frame["step"]),
        [int(n) for n in frame["reached"]],
        name=UNIT.choices[UNIT.chosen(view)].lower(),
        notes=waits,
    )


PARTS = (
    Boxes("boxes", _boxes),
    Editor("steps_editor", width=5),
    Card(
        "steps",
        "Steps",
        "How many reached each step in order; the striped part left before the step, and the time is the median from the step "
        "before. What counts at one moment counts in the order of the steps. Sessions count on the date of their first event, "
        "visitors and people from their first step in the period on. Filters mean the session with that step.",
        steps,
        {
            "step": Column("Step"),
            "reached": Column("Reached", "count"),
            "step_rate": Column("Of the step before %", "percent"),
            "overall": Column("Of all %", "percent"),
            "lost": Column("Left before it", "count"),
            "seconds": Column("Median seconds from the step before", "duration"),
            "reached_before": Column("Comparison: reached", "count"),
            "overall_before": Column("Comparison: of all %", "percent"),
        },
        _draw_steps,
        (UNIT, WITHIN),
        width=7,
        empty=_NOBODY,
    ),
    Card(
        "breakdown",
        "Breakdown",
        "The share of those at a step that reached the next one; the darker, the better within its column. Fewer than 10 are "
        "told as pieces. The chart has the 12 largest, the table the 100 first; a click filters.",
        breakdown,
        {
            "value": Column("Of", sets=BY),
            "entered": Column("Entered", "count"),
            "counts_told": Column("Reached each step"),
            "rates_told": Column("Of the step before"),
            "finished": Column("To the end", "count"),
            "overall": Column("Overall %", "percent"),
        },
        draw_breakdown,
        (BY,),
        empty=_NOBODY,
    ),
)
