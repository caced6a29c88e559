"""Search: what visitors look for in the shop, and whether they find it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

import banner
import charts
from boxes import Box, Boxes
from cards import Card, Column
from formats import FEW, count, is_missing, money, percent
from pages.loss_rows import Losses, losses
from pages.refinements import LOSSES, REFINEMENTS
from pages.search_rows import by_day, new_terms, terms, totals, trend, unclicked
from queries import Warehouse
from view import View

TITLE = "Search"
ABOUT = "What visitors look for in the shop, and whether they find it. Terms are in lower case."


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    bounds = await banner.bounds(warehouse)
    currency = bounds.currency if bounds else ""
    now = await totals(warehouse, view, view.period, currency)
    before = await totals(warehouse, view, view.before, currency) if view.before else {}
    days = await by_day(warehouse, view, view.period)
    lost = await losses(warehouse, view, view.period, currency)
    now["lost"] = None if lost.is_noise else lost.of(lost.sessions_without)[0]

    def box(name: str, title: str, metric: str, **more: Any) -> Box:
        line = list(days[name]) if name in days else []
        if of := {"unclicked_share": "searches", "without_results_share": "searches", "revenue": "own_orders"}.get(
            name
        ):
            more |= {"of": now[of], "of_before": before.get(of)}
        return Box(name, title, metric, now[name], before.get(name), line=line, **more)

    of_all = f"{percent(now['sessions_share'])} of sessions"
    return str(view.period), [
        box("searches", "Searches", "search"),
        box("sessions", "Sessions with a search", "sessions with a search", note=of_all),
        box(
            "unclicked_share",
            "Nobody clicked",
            "search nobody clicked",
            kind="percent",
            is_less_better=True,
        ),
        box(
            "without_results_share",
            "Without results",
            "search without results",
            kind="percent",
            is_less_better=True,
        ),
        box(
            "revenue",
            "Revenue after search",
            "revenue after search",
            kind="money",
            unit=currency,
            note=now["others"],
        ),
        box(
            "lost",
            "Lost to empty results",
            "lost to empty results",
            kind="money",
            unit=currency,
            is_less_better=True,
            note=_how_sure(lost),
        ),
    ]


def _how_sure(lost: Losses) -> str:
    if not lost.sessions_without:
        return "no search was without results"
    of = f"{count(lost.bought_without)} of {'only ' if lost.sessions_without < FEW else ''}{count(lost.sessions_without)} bought"
    if lost.is_noise:
        return f"may be chance: {of}, of the others {percent(lost.rate)}"
    _, low, high = lost.of(lost.sessions_without)
    return f"{money(low)} to {money(high)}; {of}, of the others {percent(lost.rate)}"


def _draw_trend(frame: pd.DataFrame, view: View) -> go.Figure:
    before = [None if is_missing(n) else int(n) for n in frame["before"]] if view.before else None
    made = charts.lines(
        list(frame["at"]),
        list(frame["searches"]),
        before,
        name="Searches",
        before_name=str(view.before or ""),
        is_open=bool(frame["is_open"].iloc[-1]),
    )
    if len(frame) == 1:  # a day alone is a point, and its axis has no other date
        made.update_traces(mode="lines+markers").update_layout(
            xaxis={"tickvals": [frame["at"].iloc[0]], "tickformat": "%-d %b %Y"}
        )
    return made


def _draw_unclicked(frame: pd.DataFrame, _: View) -> go.Figure:
    top = frame[:12]
    texts = [f"{n:,} · {100 * part:.0f} %" for n, part in zip(top["unclicked"], top["unclicked_share"], strict=True)]
    made = _thin(charts.bars(top["term"], top["unclicked"], name="Searches nobody clicked", texts=texts), len(top))
    return made.update_layout(xaxis_range=[0, 1.4 * float(top["unclicked"].max())])  # room for two numbers after a bar


def _draw_new(frame: pd.DataFrame, _: View) -> go.Figure:
    top = frame[:12]
    made = charts.bars(top["term"], top["searches"], name="Searches", texts=[f"{n:,}" for n in top["searches"]])
    return _thin(made, len(top))


def _thin(made: go.Figure, count: int) -> go.Figure:
    """Bars as thin as if there were six of them at least."""
    return made.update_traces(width=0.75 * min(1.0, count / 6))


_SHARES = {
    "unclicked_share": Column("Nobody clicked %", "percent", of="searches"),
    "without_results_share": Column("Without results %", "percent", of="searches"),
}
_NONE = (
    "No searches in this period with these filters. They come from events named search: see the guide of the tracker."
)
PARTS = (
    Boxes("totals", _boxes),
    Card(
        "trend",
        "Searches per day",
        "Searches on each day of the period, with the comparison dashed behind it. A day that is not over is dotted.",
        trend,
        {
            "at": Column("Day", "date", sets="day"),
            "searches": Column("Searches", "count"),
            "before": Column("Searches of the comparison", "count"),
            **_SHARES,
        },
        _draw_trend,
        height="300px",
        empty=_NONE,
    ),
    Card(
        "unclicked",
        "Searches nobody clicked",
        "Terms by the searches that no click or product view followed before the session's next search, and their share of the "
        "term's searches. The 100 first.",
        unclicked,
        {
            "term": Column("Term", sets="term"),
            "unclicked": Column("Nobody clicked", "count"),
            "searches": Column("Searches", "count"),
            **_SHARES,
        },
        _draw_unclicked,
        width=6,
        height="380px",
        empty="No search here went without a click.",
    ),
    Card(
        "new_terms",
        "New terms",
        "Terms with a search in the period and none in the comparison. The 100 first.",
        new_terms,
        {"term": Column("Term", sets="term"), "searches": Column("Searches", "count"), **_SHARES},
        _draw_new,
        width=6,
        height="380px",
        empty="No term is new against the comparison, or the data does not reach back to it. Try a shorter period.",
    ),
    REFINEMENTS,
    LOSSES,
    Card(
        "terms",
        "Terms",
        "Clicked: a click or product view before the session's next search. Orders and revenue are those of the session "
        "after its "
        "last search before them. Revenue is in the shop's currency, others beside it. The 200 first.",
        terms,
        {
            "term": Column("Term", sets="term"),
            "searches": Column("Searches", "count"),
            "clicked_share": Column("Clicked %", "percent", of="searches"),
            "without_results_share": Column("Without results %", "percent", of="searches"),
            "sessions": Column("Sessions", "count"),
            "orders": Column("Orders", "count"),
            "revenue": Column("Revenue", "money"),
            "revenue_each": Column("Revenue per search", "money"),
            "currency": Column("Currency"),
            "others": Column("Other currencies"),
        },
        height="440px",
        empty=_NONE,
    ),
)
