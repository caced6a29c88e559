"""Attribution: which channels earn their money, and how that differs from last click."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

import charts
from boxes import Box, Boxes
from cards import Card, Column
from formats import FEW, besides, count, is_missing, with_minus
from pages.attribution_rows import (
    BY,
    MEASURE,
    MODEL,
    MODELS,
    compared,
    paths,
    shown_model,
    side_by_side,
    spend,
    totals,
)
from queries import Warehouse
from view import View

TITLE = "Attribution"
ABOUT = (
    "Which channels earn their money, and how that differs from last click. Credits of an order go to the visits of its buyer in "
    "the 30 days before it, on all of their browsers. Bots are left out; the filters by channel, device and country do not apply."
)
_NONE = "No orders in this period. They come from events named purchase."


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    now, before = await asyncio.gather(totals(warehouse, view, view.period), _before(warehouse, view))
    others = besides(now["others"].items())
    return str(view.period), [
        Box(
            "orders",
            "Orders",
            "order",
            now["orders"],
            before.get("orders"),
            line=list(now["days"]),
        ),
        Box(
            "revenue",
            "Net revenue",
            "net revenue",
            now["revenue"],
            before.get("revenue"),
            kind="money",
            unit=now["currency"],
            note=others,
            of=now["own_orders"],
            of_before=before.get("own_orders"),
        ),
        Box(
            "touches",
            "Touches per order",
            "touches per order",
            now["touches"],
            before.get("touches"),
            kind="money",
        ),
        Box(
            "over_channels",
            "Over several channels",
            "orders over several channels",
            now["over_channels"],
            before.get("over_channels"),
            kind="percent",
            note=f"of {now['orders']:,} orders",
            of=now["orders"],
            of_before=before.get("orders"),
        ),
        Box(
            "lost",
            "Journeys without an order",
            "journey without an order",
            # Not compared: it grows with the shop's traffic, which is nothing bad.
            now["lost"],
        ),
    ]


async def _before(warehouse: Warehouse, view: View) -> dict[str, Any]:
    return await totals(warehouse, view, view.before) if view.before else {}


def _own(frame: pd.DataFrame, view: View, most: int) -> pd.DataFrame:
    """What a picture can show: one currency, and names."""
    own = frame[frame["is_own"].astype(bool)]
    return (own[own["value"] != "(none)"] if BY.chosen(view) == "campaign" else own)[:most]


def _counted(frame: pd.DataFrame, most: int) -> list[str]:
    """Names with the orders that stand behind them."""
    labels = charts.told_apart(frame["value"], most)
    return [f"{label} · {count(orders)}" for label, orders in zip(labels, frame["orders"], strict=True)]


def _draw_compared(frame: pd.DataFrame, view: View) -> go.Figure:
    top = _own(frame, view, 10)
    if top.empty:
        return charts.figure()
    model, is_money = shown_model(view), MEASURE.chosen(view) == "revenue"
    texts = [_difference(*one) for one in zip(top["chosen"], top["change"], top["orders"], strict=True)]
    made = charts.bars(_counted(top, 28), [float(v) for v in top["chosen"]], name=MODELS[model], texts=texts)
    places = made.data[0].y
    made.data[0].update(
        marker={"color": charts.COLORS[0], "opacity": charts.opacity(top["orders"])}, offsetgroup="chosen"
    )
    made.add_bar(
        x=[float(v) for v in top["last"]],
        y=places,
        name=MODELS["last"],
        orientation="h",
        offsetgroup="last",
        marker={"color": charts.BEFORE, "opacity": [0.7 * part for part in charts.opacity(top["orders"])]},
        hovertext=made.data[0].hovertext,
    )
    most = max([1.0, *map(float, top["chosen"]), *map(float, top["last"])])
    words = f"{'Net revenue' if is_money else 'Orders'}{_pale_note(top['orders'])}"
    made.update_layout(
        barmode="group", bargap=0.3, showlegend=True, xaxis_range=[0, 1.6 * most], xaxis_dtick=None, xaxis_title=words
    )
    return made


def _pale_note(orders: Iterable[Any]) -> str:
    return "; pale: few orders" if any(each < FEW for each in orders) else ""


def _difference(chosen: Any, change: Any, orders: Any) -> str:
    """An amount and, unless few orders stand behind it, how much it differs from last click's."""
    told = _plain(chosen)
    return told if is_missing(change) or orders < FEW else with_minus(f"{told} ({100 * change:+.0f} %)")


def _plain(amount: Any) -> str:
    """An amount beside a bar: a phone has no room for the cents of a thousand."""
    return f"{amount:,.{0 if amount >= 100 else 1 if amount >= 10 else 2}f}"


def _draw_models(frame: pd.DataFrame, view: View) -> go.Figure:
    """Shares of each model, its largest one darkest. What few orders stand behind has no colour."""
    top = _own(frame, view, 12)
    if top.empty:
        return charts.figure()
    names = [name for name in MODELS if not top[name].isna().all()]
    rates = [list(row) for row in top[[f"{name}_share" for name in names]].values]
    is_few = [orders < FEW for orders in top["orders"]]
    best = [max((row[place] or 0 for row in rates), default=0) or 1 for place in range(len(names))]
    made = charts.heatmap(
        [MODELS[name] for name in names],
        [charts.shortened(name) for name in _counted(top, 22)],
        [
            [0 if few or is_missing(rate) else rate / best[place] for place, rate in enumerate(row)]
            for few, row in zip(is_few, rates, strict=True)
        ],
        texts=[["" if is_missing(rate) else f"{100 * rate:.0f} %" for rate in row] for row in rates],
        name="",
    )
    made.update_traces(zmin=0, zmax=1.6, hoverongaps=True, hovertemplate="%{y}<br>%{x}: %{text}<extra></extra>")
    note = f"Share of each column{_pale_note(top['orders'])}"
    return made.update_layout(xaxis_side="top", xaxis_fixedrange=True, xaxis_title={"text": note, "font": {"size": 11}})


def _draw_paths(frame: pd.DataFrame, _: View) -> go.Figure:
    top = frame[:12]
    texts = [f"{n:,} of {every:,}" for n, every in zip(top["orders"], top["journeys"], strict=True)]
    made = charts.bars([" › ".join(path) for path in top["path"]], list(top["orders"]), name="Orders", texts=texts)
    made.data[0].update(marker={"color": charts.COLORS[0], "opacity": charts.opacity(top["journeys"])})
    return made


def _draw_spend(frame: pd.DataFrame, _: View) -> go.Figure:
    top = frame[:12]
    told = zip(top["campaign"], top["source"], top["channel"], strict=True)
    names = [" / ".join(part for part in parts if not is_missing(part)) for parts in told]
    texts = [
        f"{back:.2f} · {orders:.1f} for {_plain(cost)} {currency}"
        for back, orders, cost, currency in zip(top["return"], top["orders"], top["cost"], top["currency"], strict=True)
    ]
    made = charts.bars(names, list(top["return"]), name="Return on spend", texts=texts)
    made.data[0].update(marker={"color": charts.COLORS[0], "opacity": charts.opacity(top["orders"])})
    most = max([0.1, *top["return"]])
    return made.update_layout(xaxis_dtick=None, xaxis_range=[0, 2.6 * most])


_PALE = f"With fewer than {FEW} orders it is pale: mostly chance."
_NAME = {"value": Column("Name", sets=BY), "currency": Column("Currency")}
PARTS = (
    Boxes("boxes", _boxes),
    Card(
        "compared",
        "What a model credits, beside last click",
        "Last click gives an order to the visit in which it was placed. Linear: to all visits alike. Position: 40 % to the "
        "first, 40 % to the last, 20 % to those between. Time decay: half as much to a visit seven days earlier. Last "
        "non-direct: to the last one with a source. Markov, of channels only: by what would be lost without the channel. Beside "
        f"the name stand the model's orders, in brackets the difference to last click. {_PALE} The picture is in the shop's "
        "currency; the table has a row for each.",
        compared,
        {
            **_NAME,
            "chosen": Column("Model", "money"),
            "last": Column("Last click", "money"),
            "difference": Column("Difference", "money"),
            "change": Column("Difference %", "percent"),
            "orders": Column("Orders of the model", "money"),
            "touches": Column("Touches", "count"),
        },
        _draw_compared,
        (BY, MODEL, MEASURE),
        height="460px",
        empty=_NONE,
    ),
    Card(
        "models",
        "Models side by side",
        "Shares of what each model gives away, in the shop's currency; beside the name the orders that the linear model credits. "
        f"The darker, the more of its column. What has fewer than {FEW} orders has no colour. The table has the amounts; each "
        "column sums to the orders or the net revenue of its currency.",
        side_by_side,
        {**_NAME, **{name: Column(label, "money") for name, label in MODELS.items()}},
        _draw_models,
        (BY, MEASURE),
        height="420px",
        empty=_NONE,
    ),
    Card(
        "paths",
        "Paths to purchase",
        "The channels of an order's visits in their order, the same one again left out; the 200 commonest. Beside a "
        "bar: the orders of all journeys that went this way, those without an order too. With fewer than 30 of them it is pale.",
        paths,
        {
            "path": Column("Path"),
            "orders": Column("Orders", "count"),
            "share": Column("Share of orders %", "percent"),
            "journeys": Column("Journeys this way", "count"),
            "rate": Column("With an order %", "percent", of="journeys"),
            "revenue": Column("Net revenue", "money"),
        },
        _draw_paths,
        height="440px",
        empty=_NONE,
    ),
    Card(
        "spend",
        "Return on spend by campaign",
        "What campaigns cost on the days of the period, from clickstream spend, and what the chosen model credits them with; "
        "linear where Markov is chosen. Return on spend: net revenue / cost; cost per order: cost / orders. Beside a bar: the "
        f"return, the orders, the cost. {_PALE} The table has last click's beside them. Of everybody, whatever the segment: "
        "what was spent on its people is not known.",
        spend,
        {
            "campaign": Column("Campaign", sets="campaign"),
            "source": Column("Source"),
            "channel": Column("Channel"),
            "currency": Column("Currency"),
            "cost": Column("Cost", "money"),
            "orders": Column("Orders", "money"),
            "cost_per_order": Column("Cost per order", "money"),
            "revenue": Column("Net revenue", "money"),
            "return": Column("Return on spend", "money"),
            "last_orders": Column("Last click: orders", "money"),
            "last_cost_per_order": Column("Last click: cost per order", "money"),
            "last_return": Column("Last click: return on spend", "money"),
        },
        _draw_spend,
        (MODEL,),
        height="380px",
        empty="No costs in this period. Bring them in from a CSV of date, campaign, cost and currency: clickstream spend -h",
    ),
)
