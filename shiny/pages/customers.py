"""Customers: who the best ones are, whether they come back, and what a new one is worth."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

import charts
from boxes import Box, Boxes
from cards import Card, Column, Option
from formats import FEW, count, is_missing, money, percent
from pages import customer_rows as rows
from queries import Warehouse
from view import View

TITLE = "Customers"
ABOUT = (
    "People with an order, on whichever browser. The filters mean how they first came: channel, device and country of the first "
    "session. The orders of one date are one purchase."
)
WINDOW = Option("customers-window", "Within", {"90": "90 days", "30": "30 days", "365": "365 days"})
COHORT = Option("customers-cohort", "Show", {"average": "Value", "rate": "Repeat rate"})
ORDERS = Option("customers-orders", "Show", {"orders": "Orders", "revenue": "Revenue"})


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    days = int(WINDOW.chosen(view))
    now, before, worth, (returned, wait) = await asyncio.gather(
        rows.buyers(warehouse, view, view.period),
        rows.buyers(warehouse, view, view.before or view.period),
        rows.worth(warehouse, view, days),
        rows.time_to_second(warehouse, view),
    )
    before = before if view.before else {}
    nobody = {"customers": 0, "valued": 0, "rate": None, "average": None}
    known: dict[str, Any] = worth.iloc[0].to_dict() if len(worth) else nobody
    boxes = [
        Box("buyers", "Buyers", "buyers of a period", now["buyers"], before.get("buyers")),
        Box("new", "New customers", "new customers", now["new"], before.get("new")),
        Box(
            "returning",
            "Returning buyers",
            "returning buyers",
            now["returning"],
            before.get("returning"),
        ),
        Box(
            "returning_share",
            "From returning buyers",
            "revenue from returning buyers",
            now["returning_share"],
            before.get("returning_share"),
            kind="percent",
        ),
        Box(
            "rate",
            f"Come back in {days} days",
            "repeat rate",
            known["rate"],
            kind="percent",
            note=_of(known["customers"], view, days),
            of=known["customers"],
        ),
        Box(
            "second",
            "Second order after",
            "time to second order",
            wait if is_missing(wait) else 86_400 * wait,
            kind="duration",
            note=f"half of {count(returned)} who came back" if returned else "nobody has come back yet",
        ),
        Box(
            "worth",
            f"Worth in {days} days",
            "customer value",
            known["average"],
            kind="money",
            unit=now["currency"],
            note=_of(known["valued"], view, days),
        ),
    ]
    return str(view.period), boxes


def _of(customers: int, view: View, days: int) -> str:
    if not customers:
        return f"no new customer is {days} days old yet"
    return f"of {count(customers)} new customers{', few' if customers < FEW else ''}"


async def _worth(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await rows.worth(warehouse, view, int(WINDOW.chosen(view)), "channel")


def _draw_groups(frame: pd.DataFrame, _: View) -> go.Figure:
    texts = [
        f"{count(n)} · {100 * of:.0f} %" if not is_missing(of) else count(n)
        for n, of in zip(frame["customers"], frame["revenue_share"], strict=True)
    ]
    made = charts.bars(frame["name"], frame["customers"], name="Customers", texts=texts)
    return made.update_layout(xaxis_title="Customers · share of net revenue")


def _draw_second(frame: pd.DataFrame, _: View) -> go.Figure:
    labels = [f"{days} d{' *' if note else ''}" for days, note in zip(frame["days"], frame["note"], strict=True)]
    texts = [f"{percent(rate)} of {count(n)}" for rate, n in zip(frame["rate"], frame["customers"], strict=True)]
    made = charts.bars(labels, [100 * rate for rate in frame["rate"]], name="Came back", texts=texts)
    return charts.paled(made, frame["returned"], list(frame["customers"])).update_layout(xaxis_ticksuffix=" %")


def _draw_worth(frame: pd.DataFrame, _: View) -> go.Figure:
    shown = frame[frame["average"].notna()][:12]
    texts = [f"{money(value)} · {count(n)}" for value, n in zip(shown["average"], shown["valued"], strict=True)]
    made = charts.bars(shown["value"], list(shown["average"]), name="Net revenue per new customer", texts=texts)
    made.update_layout(xaxis_title=f"Per new customer, {frame['currency'].iloc[0]}")
    return _paled(made, shown)


def _paled(made: go.Figure, frame: pd.DataFrame) -> go.Figure:
    """Bars of few customers are pale."""
    return made.update_traces(marker_opacity=charts.opacity(frame["customers"]))


def _draw_months(frame: pd.DataFrame, view: View) -> go.Figure:
    shown = COHORT.chosen(view)
    frame = frame[::-1]
    scale = 100 if shown == "rate" else 1
    values = [
        [None if is_missing(row[f"{shown}_{n}"]) else scale * row[f"{shown}_{n}"] for n in rows.WINDOWS]
        for _, row in frame.iterrows()
    ]
    unit = " %" if shown == "rate" else ""
    texts = [["" if value is None else f"{value:,.{1 if unit else 2}f}{unit}" for value in row] for row in values]
    labels = [
        f"{month:%b %Y} · {count(n)}{' *' if note else ''}"
        for month, n, note in zip(frame["month"], frame["customers"], frame["note"], strict=True)
    ]
    name = "% came back" if unit else "per new customer"
    made = charts.heatmap([f"{n} days" for n in rows.WINDOWS], labels, values, texts=texts, name=name)
    return made.update_layout(xaxis={"side": "top"})


async def _orders(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await rows.orders(warehouse, view)


def _draw_orders(frame: pd.DataFrame, view: View) -> go.Figure:
    shown = ORDERS.chosen(view)
    named = [("New", frame[f"new_{shown}"]), ("Returning", frame[f"returning_{shown}"])]
    # On an axis of time, a bar alone is as thin as a moment.
    at = list(frame["at"]) if len(frame) > 1 else [f"{frame['at'].iloc[0]:%-d %b %Y}"]
    return charts.stacked(at, [(name, list(map(float, values))) for name, values in named])


def _draw_segments(frame: pd.DataFrame, _: View) -> go.Figure:
    return charts.bars(frame["segment"], frame["people"], name="People", texts=[count(n) for n in frame["people"]])


_AVERAGES = {f"average_{n}": Column(f"Value in {n} days", "money") for n in rows.WINDOWS}
_RATES = {f"rate_{n}": Column(f"Came back in {n} days %", "percent", of="customers") for n in rows.WINDOWS}
PARTS = (
    Boxes("period", _boxes),
    Card(
        "groups",
        "Who your customers are",
        "All buyers ever, on the last whole day whatever the period: in fifths by days since the last order, and by number of "
        "purchases. Each is in one group. Revenue is net, in the shop's currency. The table says what to do.",
        rows.groups,
        {
            "name": Column("Group"),
            "customers": Column("Customers", "count"),
            "share": Column("Share %", "percent"),
            "revenue": Column("Net revenue", "money"),
            "revenue_share": Column("Of revenue %", "percent"),
            "purchases": Column("Purchases each", "money"),
            "days": Column("Days since order", "count"),
            "do": Column("What to do"),
        },
        _draw_groups,
        width=7,
        height="380px",
        empty="Nobody has bought yet, or nobody with these filters.",
    ),
    Card(
        "second",
        "When the second purchase comes",
        "Of the new customers of a year for which so many days are over by the period's end, those with a second purchase by "
        "then. Each number of days has a year of its own, so a longer one may have the smaller share. * and pale: fewer than 30.",
        rows.second_purchases,
        {
            "days": Column("Days", "count"),
            "customers": Column("New customers", "count"),
            "returned": Column("Came back", "count"),
            "rate": Column("Came back %", "percent", of="customers"),
            "note": Column("Few"),
        },
        _draw_second,
        width=5,
        height="380px",
        empty="No new customer's first week is over. Choose a period that ends later.",
    ),
    Card(
        "channels",
        "Worth by first channel",
        "Net revenue per new customer up to so many days after the first purchase, by the channel of the very first session, and "
        "how many customers that is. A year of first purchases for which the days are over by the period's end. Amounts in the "
        "shop's currency. Pale: fewer than 30 customers.",
        _worth,
        {
            "value": Column("First channel", sets="channel"),
            "customers": Column("New customers", "count"),
            "repeated": Column("Came back", "count"),
            "rate": Column("Came back %", "percent", of="customers"),
            "valued": Column("In the shop's currency", "count"),
            "average": Column("Value each", "money"),
            "currency": Column("Currency"),
            "note": Column("Few"),
        },
        _draw_worth,
        (WINDOW,),
        width=6,
        height="400px",
        empty="No new customer is that old yet. Choose a shorter window.",
    ),
    Card(
        "months",
        "Months of new customers",
        "A row is the month of the first purchase, and how many customers it has. Value is net revenue per customer up to so "
        "many days after it, in the shop's currency. Empty until they are over for the last of the month. * is fewer than 30.",
        rows.months,
        {
            "month": Column("Month", "date"),
            "customers": Column("New customers", "count"),
            **_RATES,
            **_AVERAGES,
            "note": Column("Few"),
        },
        _draw_months,
        (COHORT,),
        width=6,
        height="400px",
        empty="No month of new customers is old enough yet.",
    ),
    Card(
        "orders",
        "New and returning",
        "Orders of each day, or of each week (from its Monday) in a long period: new ones are of people whose first date with an "
        "order it is. Revenue is before refunds, in the shop's currency.",
        _orders,
        {
            "at": Column("From", "date"),
            "new_orders": Column("New orders", "count"),
            "returning_orders": Column("Returning orders", "count"),
            "share": Column("Returning %", "percent"),
            "new_revenue": Column("New revenue", "money"),
            "returning_revenue": Column("Returning revenue", "money"),
        },
        _draw_orders,
        (ORDERS,),
        height="300px",
    ),
    Card(
        "segments",
        "Your segments",
        "People who meet all conditions of a segment of segments.yml, on the last whole day whatever the period; no bots. "
        "Their ids, for a mailing: clickstream segment NAME. Revenue is net, in the shop's currency.",
        rows.segments,
        {
            "label": Column("Segment"),
            "segment": Column("Name"),
            "people": Column("People", "count"),
            "buyers": Column("With an order", "count"),
            "revenue": Column("Net revenue", "money"),
        },
        _draw_segments,
        height="240px",
        empty="There are no segments. Write some into segments.yml; the one that came along has examples.",
    ),
)
