"""The overview's two cards of money: where the revenue came from, and what it was made with."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

import charts
from cards import Card, Column
from formats import money
from pages import acquisition_rows, product_rows
from queries import Warehouse
from view import View

#: As many bars as a card has room for.
BARS = 10


async def _channels(warehouse: Warehouse, view: View) -> pd.DataFrame:
    frame = await acquisition_rows.origins(warehouse, view, "channel")
    return frame.sort_values(["revenue", "sessions"], ascending=False, kind="stable")


async def _products(warehouse: Warehouse, view: View) -> pd.DataFrame:
    frame = await product_rows.products(warehouse, view, "revenue")
    return frame[frame["units"] > 0]


def _draw_channels(frame: pd.DataFrame, _: View) -> go.Figure:
    return _bars(frame[frame["revenue"] > 0], "value")


def _draw_products(frame: pd.DataFrame, _: View) -> go.Figure:
    return _bars(frame[frame["revenue"] > 0], "name")


def _bars(frame: pd.DataFrame, label: str) -> go.Figure:
    top = frame[:BARS]
    revenue = [float(amount) for amount in top["revenue"]]
    return charts.bars(top[label], revenue, name="Revenue", texts=[money(amount) for amount in revenue])


CARDS = (
    Card(
        "channels",
        "Where revenue came from",
        "Revenue in the shop's currency, by the channel of the session that an order was placed in. Click one to filter.",
        _channels,
        {
            "value": Column("Channel", sets="channel"),
            "revenue": Column("Revenue", "money"),
            "orders": Column("Orders", "count"),
            "sessions": Column("Sessions", "count"),
            "conversion": Column("Conversion %", "percent", of="sessions"),
        },
        _draw_channels,
        width=6,
    ),
    Card(
        "sold",
        "What sold",
        "The products with the most revenue in the shop's currency, before refunds. The page Products has views, carts and "
        "refunds of each.",
        _products,
        {
            "name": Column("Product", sets="product", key="product_id"),
            "revenue": Column("Revenue", "money"),
            "others": Column("In other currencies"),
            "units": Column("Units", "count"),
            "orders": Column("Orders", "count"),
        },
        _draw_products,
        width=6,
    ),
)
