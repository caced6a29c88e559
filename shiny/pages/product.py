"""Product: one of them, from the visits that see it to what is ordered with it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

import charts
import flow_charts
from boxes import Box, Boxes
from cards import Card, Column, Option
from formats import percent
from pages import product_page_rows as rows
from pages import product_rows, products
from queries import Warehouse
from view import View

TITLE = "Product"
ABOUT = "One product: how it sells, who comes to it, and what goes with it."
METRIC = Option(
    "product-metric",
    "Show",
    {"views": "Views", "added_sessions": "Adds to cart", "units": "Units", "revenue": "Revenue"},
)
BY = Option(
    "product-by", "By", {"source": "Source", "campaign": "Campaign", "landing": "Landing page", "channel": "Channel"}
)
_NOBODY = "Nobody looked at it in this period and with these filters. Try a longer period."


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    period, boxes = await products.period(warehouse, view)
    return f"{await rows.name_of(warehouse, view)} · {period}", boxes


async def _days(warehouse: Warehouse, view: View) -> pd.DataFrame:
    _, days, _ = await product_rows.totals(warehouse, view, view.period)
    days.index.name = "at"
    return days.reset_index()


def _draw_days(frame: pd.DataFrame, view: View) -> go.Figure:
    name = METRIC.chosen(view)
    values = [float(value) for value in frame[name]]
    return charts.lines(list(frame["at"]), values, None, name=METRIC.choices[name], is_open=False)


def _draw_steps(frame: pd.DataFrame, _: View) -> go.Figure:
    return flow_charts.funnel(list(frame["step"]), list(frame["reached"]), name="sessions")


async def _origins(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await rows.origins(warehouse, view, BY.chosen(view))


def _draw_origins(frame: pd.DataFrame, _: View) -> go.Figure:
    return _draw(frame, "value")


def _draw_terms(frame: pd.DataFrame, _: View) -> go.Figure:
    return _draw(frame, "term")


def _draw(frame: pd.DataFrame, label: str) -> go.Figure:
    top = frame[:10]
    texts = [f"{n:,} · {bought:,} ordered" for n, bought in zip(top["viewed"], top["bought"], strict=True)]
    made = charts.bars(top[label], list(top["viewed"]), name="Viewed in sessions", texts=texts)
    return made.update_layout(xaxis_title="Sessions that viewed it")


def _draw_together(frame: pd.DataFrame, _: View) -> go.Figure:
    top = frame[:10]
    texts = [f"{n:,} · {percent(part)}" for n, part in zip(top["together"], top["share"], strict=True)]
    return charts.bars(top["name"], list(top["together"]), name="Times together", texts=texts)


_RATES = {
    "viewed": Column("Viewed in sessions", "count"),
    "added": Column("Added in sessions", "count"),
    "add_rate": Column("Add rate %", "percent", of="viewed"),
    "bought": Column("Ordered in sessions", "count"),
    "conversion": Column("Ordered %", "percent", of="viewed"),
}
PARTS = (
    Boxes("period", _boxes),
    Card(
        "steps",
        "From view to order",
        "Sessions that viewed it, of these the ones that put it into the cart, and of these the ones that ordered it.",
        rows.steps,
        {
            "step": Column("Step"),
            "reached": Column("Sessions", "count"),
            "rate": Column("Of the step before %", "percent"),
        },
        _draw_steps,
        width=6,
        height="300px",
        empty=_NOBODY,
    ),
    Card(
        "days",
        "Day by day",
        "Views and adds on the date of their session, units and revenue on that of the order.",
        _days,
        {
            "at": Column("Day", "date", sets="day"),
            "views": Column("Views", "count"),
            "added_sessions": Column("Added in sessions", "count"),
            "units": Column("Units", "count"),
            "revenue": Column("Revenue", "money"),
        },
        _draw_days,
        (METRIC,),
        width=6,
        height="300px",
    ),
    Card(
        "origins",
        "Where its visitors come from",
        "Sessions with a view or an add of it, by where they came from. The 100 first.",
        _origins,
        {"value": Column("Name", sets=BY), **_RATES},
        _draw_origins,
        (BY,),
        width=6,
        empty=_NOBODY,
    ),
    Card(
        "terms",
        "Searches that lead to it",
        "Terms that were searched for, and something of them clicked, in sessions that viewed it. The 100 first.",
        rows.terms,
        {"term": Column("Term", sets="term"), **_RATES},
        _draw_terms,
        width=6,
        empty="No session that viewed it had searched for anything, and clicked.",
    ),
    Card(
        "together",
        "Ordered with it",
        "Products that were ordered in the same session, and in how many of the sessions that ordered it. Whether that is more "
        "than chance: Products together, on the page Products. The 100 first.",
        rows.together,
        {
            "name": Column("Product", sets="product", key="product_id"),
            "together": Column("Times together", "count"),
            "share": Column("Of its orders %", "percent", of="baskets"),
        },
        _draw_together,
        empty="Nothing was ordered with it here.",
    ),
)
