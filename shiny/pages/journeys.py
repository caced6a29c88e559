"""Journeys: the ways that visitors take through the shop, from their first step or up to their last one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

import charts
import flow_charts
from boxes import Box, Boxes
from cards import Card, Column
from formats import count
from pages import journey_rows
from pages.journey_rows import ANCHOR, LENGTH, LONGEST, MOST, ORDER, place_told
from queries import Warehouse
from view import View

TITLE = "Journeys"
ABOUT = (
    "The ways that sessions take. A step is a page, by the first part of its path (/category/*), or a view of a product, a "
    "search, an add to cart, a checkout or a purchase. Repeats of a step count once, and a "
    "page on which the next step happens is none."
)
_BEFORE = {f"step_{place}": Column(f"{LONGEST - place} before") for place in range(1, LONGEST)}
_COMPARED = {"share_before": Column("Comparison: share %", "percent", of="whole_before")}


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    (now, days), (before, _), firsts, lasts = await asyncio.gather(
        journey_rows.totals(warehouse, view, view.period),
        journey_rows.totals(warehouse, view, view.before) if view.before else _nothing(),
        journey_rows.begins(warehouse, view, "purchases"),
        journey_rows.leaves(warehouse, view),
    )
    shown = [
        Box(
            "sessions",
            "Sessions",
            "sessions with a step",
            now["sessions"],
            before.get("sessions"),
            line=list(days["sessions"]),
        ),
        Box(
            "single",
            "Left after one step",
            "left after one step",
            now["single"],
            before.get("single"),
            kind="percent",
            is_less_better=True,
            line=list(days["single_share"]),
            of=now["sessions"],
            of_before=before.get("sessions"),
        ),
        Box(
            "long",
            "Six steps or more",
            "six steps or more",
            now["long"],
            before.get("long"),
            kind="percent",
            line=list(days["long_share"]),
            of=now["sessions"],
            of_before=before.get("sessions"),
        ),
        Box(
            "pages",
            "Pages of buyers",
            "pages of buyers",
            now["pages"],
            before.get("pages"),
            note=f"{count(now['other_pages'])} of the others",
        ),
        _most(
            "begin",
            "Buyers begin with",
            "buyers begin with",
            firsts,
            "_of_purchases",
        ),
        _most("leave", "Others leave from", "others leave from", lasts, ""),
    ]
    return f"{view.period}{', not over yet and so not compared' if view.is_going_on else ''}", shown


async def _nothing() -> tuple[dict[str, Any], pd.DataFrame]:
    return {}, pd.DataFrame()


def _most(id: str, title: str, metric: str, frame: pd.DataFrame, kind: str) -> Box:
    """A share, and in its note what has it."""
    if frame.empty:
        return Box(id, title, metric, None, kind="percent")
    first = frame.iloc[0]
    part, whole = (first["purchases"], first["whole_purchases"]) if kind else (first["sessions"], first["whole"])
    note = f"{first['step']}, {count(part)} of {count(whole)}"
    return Box(id, title, metric, first[f"share{kind}"], kind="percent", note=note, of=whole)


def _draw_flow(frame: pd.DataFrame, view: View) -> go.Figure:
    anchor, length = ANCHOR.chosen(view), int(LENGTH.chosen(view))
    sizes: dict[tuple[int, str], int] = {}
    for side, moved in (("from", 0), ("to", 1)):
        found = frame.groupby([frame["place"] + moved, side])["sessions"].sum()
        for node, sessions in found.items():
            sizes[node] = max(sizes.get(node, 0), int(sessions))  # an end of the picture has one side only
    nodes = sorted(sizes, key=lambda node: (node[0], _rank(node[1]), -sizes[node], node[1]))
    places = {node: place for place, node in enumerate(nodes)}
    columns = (frame[name] for name in ("place", "from", "to", "sessions", "told"))
    links = [
        (places[place, name], places[place + 1, to], sessions, words)
        for place, name, to, sessions, words in zip(*columns, strict=True)
    ]
    return flow_charts.sankey(
        [(place - 1, name, sizes[place, name], _COLORS.get(name, _color(name))) for place, name in nodes],
        links,
        [place_told(place, anchor, length) for place in range(1, length + 1)],
    )


_COLORS = {"Purchase": charts.COLORS[2], "Exit": charts.COLORS[4], "Session starts": charts.COLORS[6]}


def _color(name: str) -> str:
    return charts.COLORS[6] if _rank(name) == 1 else charts.COLORS[0]


def _rank(name: str) -> int:
    """Where a node stands in its column: what is many goes below what is one, and ends below all."""
    return 1 if name.startswith("and ") else {"Exit": 3, "Session starts": 2, "Purchase": -1}.get(name, 0)


def _draw_begins(frame: pd.DataFrame, _: View) -> go.Figure:
    top = frame[:10]
    texts = [f"{100 * part:.1f} %" if part >= 0.0005 else "under 0.1 %" for part in top["share"]]
    return charts.bars(top["step"], top["sessions"], name="Sessions", texts=texts, most=24)


async def _to_purchase(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await journey_rows.last_steps(warehouse, view, "purchase")


async def _to_exit(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await journey_rows.last_steps(warehouse, view, "exit")


PARTS = (
    Boxes("boxes", _boxes),
    Card(
        "flow",
        "Flow of steps",
        "How sessions go on from step to step. From the first step: a session that ends leaves to Exit. Up to a purchase: the "
        "last steps to the first purchase of a session. Up to an exit: those of sessions without a purchase. What is seldom at a "
        "step goes together, as “and N more”; conversion is sessions with a purchase, of those of the flow.",
        journey_rows.flow,
        {
            "place_told": Column("Step"),
            "from": Column("From"),
            "to": Column("To"),
            "sessions": Column("Sessions", "count"),
            "share_from": Column("Of those at the step %", "percent"),
            "share": Column("Of all %", "percent", of="whole"),
            "conversion": Column("Conversion %", "percent", of="sessions"),
        },
        _draw_flow,
        (ANCHOR, LENGTH, MOST),
        height="560px",
        empty="No session went this way in this period and with these filters. Try a longer period.",
    ),
    Card(
        "begins",
        "First steps",
        "What sessions begin with. Left at once: sessions with that step alone. Conversion: sessions with a purchase, of those "
        "that began with it.",
        journey_rows.begins,
        {
            "step": Column("First step"),
            "sessions": Column("Sessions", "count"),
            "share": Column("Share %", "percent", of="whole"),
            "alone_share": Column("Left at once %", "percent", of="sessions"),
            "conversion": Column("Conversion %", "percent", of="sessions"),
            **_COMPARED,
        },
        _draw_begins,
        width=6,
    ),
    Card(
        "leaves",
        "Last steps before an exit",
        "What sessions without a purchase end with. Only step: sessions that had no other.",
        journey_rows.leaves,
        {
            "step": Column("Last step"),
            "sessions": Column("Sessions", "count"),
            "share": Column("Share %", "percent", of="whole"),
            "alone_share": Column("Only step %", "percent", of="sessions"),
            **_COMPARED,
        },
        _draw_begins,
        width=6,
        empty="Every session in this period and with these filters has a purchase, or there is none.",
    ),
    Card(
        "first_steps",
        "Top paths from the first step",
        "The 100 first, by their first six steps. Exit is the end of a session, before its sixth step. Conversion: sessions with "
        "a purchase, then or later, of those that began in this way.",
        journey_rows.first_steps,
        {
            "sessions": Column("Sessions", "count"),
            "conversion": Column("Conversion %", "percent", of="sessions"),
            **{f"step_{place}": Column(f"Step {place}") for place in range(1, LONGEST + 1)},
            "purchases": Column("With a purchase", "count"),
            "share": Column("Share %", "percent", of="whole"),
            **_COMPARED,
        },
        options=(ORDER,),
        height="420px",
    ),
    Card(
        "to_purchase",
        "Top paths to a purchase",
        "The 100 first: the last five steps before the first purchase of a session. Share of all sessions with a purchase.",
        _to_purchase,
        {
            "sessions": Column("Sessions", "count"),
            "share": Column("Share %", "percent", of="whole"),
            **_BEFORE,
            **_COMPARED,
        },
        width=6,
        height="420px",
        empty="Nobody bought in this period and with these filters. Try a longer period.",
    ),
    Card(
        "to_exit",
        "Top paths to an exit",
        "The 100 first: the last five steps of sessions without a purchase. Share of all of these.",
        _to_exit,
        {
            "sessions": Column("Sessions", "count"),
            "share": Column("Share %", "percent", of="whole"),
            **_BEFORE,
            **_COMPARED,
        },
        width=6,
        height="420px",
    ),
)
