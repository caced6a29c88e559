"""The card of products that are viewed or bought together."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

import charts
from cards import Card, Column, Option
from formats import FEW, count
from pages.pair_rows import LEAST, SHOWN, pairs
from queries import Warehouse
from view import View

BASKETS = Option(
    "products-baskets",
    "Together",
    {"bought": "Bought in one session", "person": "Bought by one person", "viewed": "Viewed in one session"},
)
ORDER = Option("products-pairs", "Order by", {"strength": "Lift", "count": "Times together"})


async def _rows(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await pairs(warehouse, view, BASKETS.chosen(view), ORDER.chosen(view))


def _draw(frame: pd.DataFrame, view: View) -> go.Figure:
    """The first pairs, each with the interval of its lift; pale where few baskets stand behind it."""
    top = frame[:12]
    half = 18
    names = [
        f"{charts.cut(one, half)} + {charts.cut(other, half)}"
        for one, other in zip(top["product"], top["other"], strict=True)
    ]
    if ORDER.chosen(view) == "count":
        texts = [f"{n:,} · {lift:.1f} ×" for n, lift in zip(top["together"], top["lift"], strict=True)]
        made = charts.bars(names, top["together"], name="Times together", texts=texts)
        return made.update_traces(marker_opacity=charts.opacity(top["baskets_of_product"]))
    sizes = zip(top["together"], top["baskets_of_product"], strict=True)
    made = charts.bars(names, top["lift"], name="Lift", texts=[f"{n:,} of {count(whole)}" for n, whole in sizes])
    made.update_traces(
        marker_opacity=charts.opacity(top["baskets_of_product"]),
        textposition="inside",
        insidetextanchor="start",
        error_x={
            "type": "data",
            "symmetric": False,
            "array": list(top["lift_high"] - top["lift"]),
            "arrayminus": list(top["lift"] - top["lift_low"]),
            "thickness": 1,
            "width": 3,
            "color": charts.BEFORE,
        },
    )
    made.add_vline(x=1, line={"dash": "dot", "color": charts.BEFORE})
    return made.update_layout(
        xaxis={
            "range": [0, 1.05 * float(top["lift_high"].max())],
            "title": f"Lift and its 95 % interval, pale below {FEW} baskets",
        }
    )


CARD = Card(
    "together",
    "Products together",
    "Pairs of products in one basket: what a session viewed, what it bought, or what a person bought in the period. Confidence "
    "is the share of the baskets with the first product (the rarer one) that have the second too, with its 95 % interval "
    "(Wilson); lift is that share / the share of all baskets that have the second, so that 1 is chance. Support is the share of "
    f"all baskets that have both. Pairs in fewer than {LEAST} baskets are not told. Among hundreds of pairs a few look strong by "
    f"chance. The {SHOWN} first; by lift, those whose interval begins highest.",
    _rows,
    {
        "product": Column("Product"),
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
    height="460px",
    empty=f"No two products were in {LEAST} baskets together here. Choose a longer period, or products viewed together.",
)
