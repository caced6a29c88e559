"""The card of price changes."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

import charts
from cards import Card, Column
from formats import FEW
from pages.price_rows import SHOWN, changes
from view import View

#: Changes in the picture.
SEEN = 12


def _draw(frame: pd.DataFrame, _: View) -> go.Figure:
    """The latest changes, each with its prices; pale where few have seen the product since, or had before."""
    top = frame[frame["change"].notna()][:SEEN]
    values = [100 * change for change in top["change"]]
    made = charts.bars(range(len(top)), values, name="Change %", texts=[f"{value:+.1f} %" for value in values])
    colors = [charts.COLORS[2] if value > 0 else charts.COLORS[1] for value in values]
    made.update_traces(
        marker_color=colors,
        marker_opacity=charts.opacity(top[["viewed", "viewed_before"]].min(axis=1)),
    )
    # Two lines: a phone has no room for all of it on one.
    names = [
        f"{row.since:%-d %b} {charts.shortened(row.name, 18)}<br>{row.price_before:,.2f} → {row.price:,.2f} {row.currency}"
        for row in top.itertuples(index=False)
    ]
    made.update_traces(hovertext=names, hoverinfo="text")
    made.update_layout(yaxis={"tickvals": list(range(len(top))), "ticktext": names})
    low, high = min([0.0, *values]), max([0.0, *values])
    reach = 0.9 * (high - low)  # a phone's bars are short, its words are not
    room = [low - reach if low else 0, high + reach if high else 0]
    return made.update_layout(xaxis={"range": room, "title": "Change %, few are pale", "nticks": 5})


CARD = Card(
    "prices",
    "Price changes seen",
    "What a piece of a product cost is what the events say: on each day the price, after its discount, that most sessions were "
    "told last. A change is a day with another price than the product's day before in the period. Add rate is sessions that "
    "viewed and added it / sessions that viewed it, at the old price and until the next change; may be chance is where the 95 % "
    f"interval of the difference (Newcombe) holds 0. Lowest and highest are of all sessions since. Pale where "
    f"fewer than {FEW} viewed it. The {SHOWN} latest.",
    changes,
    {
        "since": Column("Since", "date"),
        "name": Column("Product", sets="product", key="product_id"),
        "price_before": Column("From", "money"),
        "price": Column("To", "money"),
        "currency": Column("Currency"),
        "change": Column("Change %", "percent"),
        "viewed_before": Column("Viewed before", "count"),
        "add_rate_before": Column("Add rate before %", "percent"),
        "viewed": Column("Viewed since", "count"),
        "add_rate": Column("Add rate since %", "percent"),
        "word": Column("Adds to cart"),
        "lowest": Column("Lowest seen", "money"),
        "highest": Column("Highest seen", "money"),
        "until": Column("Seen until", "date"),
        "product_id": Column("Product id"),
    },
    _draw,
    height="520px",
    empty="No product had another price on one day than on the day before, as far as events tell prices.",
)
