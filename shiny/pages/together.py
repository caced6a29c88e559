"""The card of products that are viewed or bought together."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

import charts
from cards import Card, Column, Option
from formats import FEW
from pages.pair_rows import LEAST, SHOWN, pairs
from queries import Warehouse
from view import View

BASKETS = Option(
    "products-baskets",
    "Together",
    {"viewed": "Viewed in one session", "bought": "Bought in one session", "person": "Bought by one person"},
)
#: Pairs in the picture.
SEEN = 12
ORDER = Option("products-pairs", "Order by", {"strength": "Lift", "count": "Times together"})


async def _rows(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await pairs(warehouse, view, BASKETS.chosen(view), ORDER.chosen(view))


def _draw(frame: pd.DataFrame, view: View) -> go.Figure:
    """The first pairs, one below the other; pale where few baskets stand behind one."""
    top = frame[:SEEN]
    is_counted = ORDER.chosen(view) == "count"
    places = list(range(len(top)))
    pale = charts.opacity(top["baskets_of_product"])
    sizes = zip(top["together"], top["baskets_of_product"], top["lift"], strict=True)
    texts = [f"{n:,} of {whole:,}" + (f" · {lift:.1f} ×" if is_counted else "") for n, whole, lift in sizes]
    ends = list(top["together"] if is_counted else top["lift_high"])
    made = charts.figure(_bars(top, places, pale) if is_counted else _intervals(top, places, pale), showlegend=False)
    made.add_trace(_words(ends, places, texts))
    if not is_counted:
        made.add_vline(x=1, line={"dash": "dot", "color": charts.BEFORE})
    names = [_name(*pair) for pair in zip(top["product"], top["other"], strict=True)]
    title, room = ("Times together", 2.3) if is_counted else ("Lift: 1 is chance", 1.7)
    rows = {
        "tickvals": places,
        "ticktext": names,
        "range": [len(top) - 0.5, -0.5],
        "zeroline": False,
        "showgrid": False,
    }
    return made.update_layout(yaxis=rows, xaxis={"range": [0, room * float(max(ends))], "title": title})


def _name(one: str, other: str) -> str:
    """On two lines: a phone has no room for both on one."""
    return f"{charts.shortened(one, 20)}<br>+ {charts.shortened(other, 18)}"


def _intervals(top: pd.DataFrame, places: list[int], pale: list[float]) -> go.Scatter:
    reach = {"array": list(top["lift_high"] - top["lift"]), "arrayminus": list(top["lift"] - top["lift_low"])}
    return go.Scatter(
        x=list(top["lift"]),
        y=places,
        mode="markers",
        marker={"size": 9, "color": charts.COLORS[0], "opacity": pale},
        error_x={"type": "data", "symmetric": False, "thickness": 1.5, "width": 4, "color": charts.BEFORE, **reach},
        hovertemplate="%{x:.2f} times as often as by chance<extra></extra>",
    )


def _bars(top: pd.DataFrame, places: list[int], pale: list[float]) -> go.Bar:
    marker = {"color": charts.COLORS[0], "opacity": pale}
    return go.Bar(x=list(top["together"]), y=places, orientation="h", marker=marker, name="Times together", width=0.6)


def _words(ends: list[float], places: list[int], texts: list[str]) -> go.Scatter:
    """What stands behind each row, to the right of it."""
    padded = [f" {text}" for text in texts]
    return go.Scatter(
        x=ends, y=places, mode="text", text=padded, textposition="middle right", hoverinfo="skip", cliponaxis=False
    )


CARD = Card(
    "together",
    "Products together",
    "Pairs of products in one basket: what a session viewed, what it bought, or what a person bought in the period. Confidence "
    "is the share of the baskets with the first product (the rarer one) that have the second too, with its 95 % interval "
    "(Wilson); lift is that share / the share of all baskets that have the second, so that 1 is chance. Support is the share of "
    f"all baskets that have both. Pairs in fewer than {LEAST} baskets are not told. Among hundreds of pairs a few look strong by "
    f"chance. The {SHOWN} first; by lift, those whose interval begins highest, and after them those of fewer than {FEW} baskets, "
    "which are pale.",
    _rows,
    {
        "product": Column("Product", sets="product", key="product_id"),
        "other": Column("With"),
        "together": Column("Times together", "count"),
        "baskets_of_product": Column("Baskets with the product", "count"),
        "confidence": Column("Confidence %", "percent"),
        "confidence_low": Column("from %", "percent"),
        "confidence_high": Column("to %", "percent"),
        "lift": Column("Lift", "money"),
        "lift_low": Column("from", "money"),
        "lift_high": Column("to", "money"),
        "word": Column("Together"),
        "baskets_of_other": Column("Baskets with the second", "count"),
        "confidence_back": Column("Other way %", "percent"),
        "baskets": Column("All baskets", "count"),
        "support": Column("Support %", "percent"),
        "product_id": Column("Product id"),
        "other_id": Column("Second's id"),
    },
    _draw,
    (BASKETS, ORDER),
    height="560px",
    empty=f"No two products were in {LEAST} baskets together here. Choose a longer period, or products viewed together.",
)
