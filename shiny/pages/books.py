"""The shop's own orders against those that arrived by events; one line where no shop is connected."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from htmltools import Tag, tags

import charts
from boxes import Box, Boxes
from cards import Card, Column
from formats import count, money, share
from pages import book_hints, book_rows
from queries import Warehouse
from view import View

CONNECT = (
    "No shop is connected. Set SHOP_PG_HOST, or bring in a file: clickstream shop-orders -h. Then this compares its orders with "
    "those of events."
)
_NOTHING = "No order of this period can be compared yet."


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str | Tag, Sequence[Box]]:
    if not await book_rows.is_connected(warehouse):
        return tags.p(CONNECT, class_="usual"), ()
    now, before = await book_rows.numbers(warehouse, view.period), await book_rows.numbers(warehouse, view.before)
    if not now:
        return tags.p(f"The shop's own orders: none of {view.period} can be judged yet.", class_="usual"), ()
    boxes = [
        Box(
            "arrived",
            "Orders by events",
            "orders by events",
            share(now["arrived"], now["orders"]),
            share(before["arrived"], before["orders"]) if before else None,
            kind="percent",
            of=now["orders"],
            of_before=before.get("orders"),
        ),
        Box(
            "revenue",
            "Revenue by events",
            "revenue by events",
            share(now["arrived_revenue"], now["revenue"]),
            share(before["arrived_revenue"], before["revenue"]) if before else None,
            kind="percent",
            note=f"of {money(now['revenue'], now['currency'])}",
        ),
        *(
            Box(name, title, metric, now[name], before.get(name), is_less_better=True)
            for name, title, metric in (
                ("missing", "Did not arrive", "missing orders"),
                ("differing", "Differ", "differing orders"),
                ("surplus", "By events alone", "orders by events alone"),
            )
        ),
    ]
    did = (
        f"{count(now['missing'])} of {count(now['orders'])} did not arrive"
        if now["missing"]
        else f"all {count(now['orders'])} arrived"
    )
    return f"The shop's own orders, {view.period}: {did} by events", boxes


def _draw_days(frame: pd.DataFrame, _: View) -> go.Figure:
    same = frame["arrived"] - frame["differing"]
    named = [("Agree", same), ("Differ", frame["differing"]), ("Did not arrive", frame["missing"])]
    return charts.stacked([str(at) for at in frame["at"]], named).update_layout(bargap=0.15, xaxis_showgrid=False)


PARTS = (
    Boxes("books", _boxes),
    Boxes("books_hints", book_hints.rows),
    Card(
        "books_days",
        "The shop's own orders, by events",
        "Orders that the shop itself knows, by the date they were placed, and how many of them arrived by events. Only those "
        "that both sides had to know by now; no cancelled, unpaid or test orders. Revenue in the shop's currency.",
        book_rows.days,
        {
            "at": Column("Date", "date"),
            "orders": Column("Orders of the shop", "count"),
            "arrived": Column("Arrived", "count"),
            "share": Column("Arrived %", "percent", of="orders"),
            "missing": Column("Did not arrive", "count"),
            "differing": Column("Differ", "count"),
            "surplus": Column("By events alone", "count"),
            "revenue": Column("Revenue of the shop", "money"),
            "arrived_revenue": Column("Arrived revenue", "money"),
            "revenue_share": Column("Revenue arrived %", "percent"),
        },
        _draw_days,
        empty=_NOTHING,
        is_filtered=False,
    ),
    Card(
        "books_orders",
        "Orders on which the two do not agree",
        f"The {book_rows.MOST} latest of the period, each with the first thing that differs: whether it is there, currency, "
        "amount, items, refund. A cent is no difference. Amounts as the shop has them, and as events told them.",
        book_rows.unlike,
        {
            "when": Column("Placed", "date"),
            "order_id": Column("Order"),
            "outcome": Column("What"),
            "detail": Column("Which"),
            "status": Column("Status"),
            "currency": Column("Currency"),
            "total": Column("Shop", "money"),
            "revenue": Column("Events", "money"),
            "refunded": Column("Refunded, shop", "money"),
            "event_refunded": Column("Refunded, events", "money"),
        },
        empty="None: the shop and the events agree on every order that can be compared.",
        is_filtered=False,
    ),
)
