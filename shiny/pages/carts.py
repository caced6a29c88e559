"""Carts: what was left in them, where people stopped, and what came back."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

import charts
from boxes import Boxes
from cards import Card, Column, Option
from formats import FEW, count, percent
from names import in_words
from pages import cart_rows
from pages.cart_boxes import boxes
from queries import Warehouse
from view import View

TITLE = "Carts"
ABOUT = (
    "What people put into carts and did not buy. A cart is abandoned when 24 hours have passed since its last add, and counts on "
    "the date of that add; bought within 7 days of it, it is recovered. An emptied cart is neither. Days whose 24 hours are not "
    "over are left out."
)
PRODUCTS_BY = Option("carts-order", "Order by", {"value": "Value", "carts": "Carts"})
BY = Option("carts-by", "By", {"channel": "Channel", "device": "Device", "country": "Country"})
_COLUMNS = {"channel": "channel", "device": "device_type", "country": "country"}


async def _products(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await cart_rows.products(warehouse, view, PRODUCTS_BY.chosen(view))


async def _groups(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await cart_rows.groups(warehouse, view, _COLUMNS[BY.chosen(view)])


def _draw_days(frame: pd.DataFrame, _: View) -> go.Figure:
    """Bars of a few days need not fill the card."""
    named = [("Recovered", "recovered_value"), ("Not recovered", "lost_value")]
    made = charts.stacked(frame["at"], [(name, [float(value) for value in frame[column]]) for name, column in named])
    made.update_traces(marker_color=charts.COLORS[2], selector={"name": "Recovered"})
    made.update_traces(marker_color=charts.COLORS[1], selector={"name": "Not recovered"})
    if len(frame) < 4:
        made.update_layout(
            xaxis={"tickvals": list(frame["at"]), "tickformat": "%-d %b %Y"}, bargap=1 - 0.15 * len(frame)
        )
    return made


def _draw_steps(frame: pd.DataFrame, _: View) -> go.Figure:
    whole = int(frame["abandoned"].sum())
    parts = [f"of {whole}" if whole < FEW else f"· {percent(part)}" for part in frame["part"]]
    texts = [f"{n:,} {part}" for n, part in zip(frame["abandoned"], parts, strict=True)]
    return charts.bars(frame["name"], frame["abandoned"], name="Carts", texts=texts, most=22)


def _draw_products(frame: pd.DataFrame, view: View) -> go.Figure:
    top = frame[frame["currency"] == frame["currency"].iat[0]][:12]
    if PRODUCTS_BY.chosen(view) == "carts":
        texts = [f"{n:,} of {all_:,}" for n, all_ in zip(top["abandoned"], top["carts"], strict=True)]
        return charts.bars(top["name"], top["abandoned"], name="Carts", texts=texts, most=28)
    values = [float(value) for value in top["abandoned_value"]]
    made = charts.bars(top["name"], values, name="Value", texts=[count(value) for value in values], most=28)
    room = [0, 1.45 * max(values, default=0) or 1]  # a phone's bars are short, and their numbers long
    return made.update_layout(xaxis_title=f"Left behind, {top['currency'].iat[0]}", xaxis_range=room)


def _draw_returns(frame: pd.DataFrame, _: View) -> go.Figure:
    whole, so_far = int(frame["carts"].sum()), frame["carts"].cumsum()
    parts = [f"{n} of {whole}" if whole < FEW else percent(n / whole) for n in so_far]
    texts = [f"{n:,} · {part} so far" for n, part in zip(frame["carts"], parts, strict=True)]
    return charts.bars(frame["day"], frame["carts"], name="Carts", texts=texts)


def _draw_groups(frame: pd.DataFrame, view: View) -> go.Figure:
    """The rate of each, pale where few carts stand behind it."""
    top = frame[:12]
    texts = [
        f"{percent(left / n)} of {n:,}" if n >= FEW else f"{left} of {n}"
        for left, n in zip(top["abandoned"], top["decided"], strict=True)
    ]
    made = charts.bars(
        [in_words(BY.chosen(view), value) for value in top["value"]],
        [100 * rate for rate in top["abandoned_rate"]],
        name="Abandoned %",
        texts=texts,
        most=22,
    )
    charts.paled(made, top["abandoned"], list(top["decided"]))
    return made.update_layout(xaxis_title=f"Abandoned %, pale below {FEW} carts", xaxis_tickvals=[0, 25, 50, 75, 100])


_CARTS = {
    "decided": Column("Bought or abandoned", "count"),
    "abandoned": Column("Abandoned", "count"),
    "abandoned_rate": Column("Abandoned %", "percent", of="decided"),
    "abandoned_value": Column("Left behind", "money"),
    "recovered": Column("Recovered", "count"),
    "recovered_rate": Column("Recovered %", "percent", of="abandoned"),
}
_NO_CARTS = "No carts here. They come from events named add_to_cart; the latest days may not be settled yet."
_NONE_LEFT = "No cart was abandoned here, as far as days are settled."
PARTS = (
    Boxes("totals", boxes),
    Card(
        "days",
        "Left behind and recovered, per day",
        "Value of abandoned carts by the date of the add that they were left after, in the shop's currency; the part of it that "
        "was in carts bought within 7 days of that add is recovered. Of the latest 7 days more may still come back.",
        cart_rows.daily,
        {
            "at": Column("Day", "date"),
            **_CARTS,
            "recovered_value": Column("Of it recovered", "money"),
            "recovered_revenue": Column("Paid for these", "money"),
            "bought_late": Column("Bought later", "count"),
            "emptied": Column("Emptied", "count"),
        },
        _draw_days,
        height="300px",
        empty=_NO_CARTS,
    ),
    Card(
        "products",
        "Products left behind",
        "What lay in abandoned carts; the picture is of one currency, the table has a row for each. Left % is abandoned carts "
        "with the product / carts with it that were abandoned or bought. The 200 first.",
        _products,
        {
            "name": Column("Product", sets="product", key="product_id"),
            "category": Column("Category"),
            "abandoned_value": Column("Left behind", "money"),
            "currency": Column("Currency"),
            "pieces": Column("Pieces", "count"),
            "abandoned": Column("Abandoned carts", "count"),
            "carts": Column("Carts with it", "count"),
            "left_rate": Column("Left %", "percent", of="carts"),
            "recovered": Column("Recovered carts", "count"),
            "recovered_rate": Column("Recovered %", "percent", of="abandoned"),
            "product_id": Column("Product id"),
        },
        _draw_products,
        (PRODUCTS_BY,),
        width=6,
        height="380px",
        empty=_NONE_LEFT,
    ),
    Card(
        "steps",
        "Where they stopped",
        "Abandoned carts by the furthest step that they had come to (view_cart, checkout, add_shipping_info, "
        "add_payment_info, as far as the shop sends them). Came here counts carts that were bought or abandoned with this step "
        "or a later one; stopped % is abandoned here / came here.",
        cart_rows.steps,
        {
            "name": Column("Step"),
            "reached": Column("Came here", "count"),
            "abandoned": Column("Abandoned here", "count"),
            "stopped_rate": Column("Stopped %", "percent", of="reached"),
            "abandoned_value": Column("Left behind", "money"),
            "recovered": Column("Recovered", "count"),
            "recovered_rate": Column("Recovered %", "percent", of="abandoned"),
        },
        _draw_steps,
        width=6,
        height="380px",
        empty=_NONE_LEFT,
    ),
    Card(
        "returns",
        "When they came back",
        "Recovered carts by the day of their purchase, counted from the last add: the 2nd day begins 24 hours after it. The "
        "percentage is of all recovered carts, by the end of that day.",
        cart_rows.returns,
        {
            "day": Column("Day"),
            "carts": Column("Carts", "count"),
            "part": Column("Share %", "percent"),
            "so_far": Column("By then %", "percent"),
            "revenue": Column("Paid", "money"),
        },
        _draw_returns,
        width=6,
        height="340px",
        empty="No abandoned cart of these days was bought within 7 days.",
    ),
    Card(
        "groups",
        "Who leaves carts",
        "By the session of the first add. Click one to filter. Money is in the shop's currency.",
        _groups,
        {"value": Column("Value", sets=BY), **_CARTS, "recovered_revenue": Column("Paid for these", "money")},
        _draw_groups,
        (BY,),
        width=6,
        height="340px",
        empty=_NO_CARTS,
    ),
)
