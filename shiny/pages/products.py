"""Products: what is seen, wanted, bought and given back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

import charts
from boxes import Box, Boxes
from cards import Card, Column, Option
from formats import besides, count, money, share, with_minus
from pages import prices, product_rows, together
from queries import Warehouse, own_currency
from view import View

TITLE = "Products"
ABOUT = "What is seen, put into carts, bought and given back. Views and adds count on their session's date, sales on the order's."

ORDER = Option(
    "products-order", "Order by", {"revenue": "Revenue", "views": "Views", "adds": "Adds to cart", "units": "Units"}
)
GROUP = Option("products-group", "By", {"category": "Category", "brand": "Brand"})
MOVER = Option("products-movers", "By", {"revenue": "Revenue", "views": "Views", "adds": "Adds to cart"})

_BOXES = {
    "views": ("Product views", "product views", "count"),
    "add_rate": (
        "Add-to-cart rate",
        "add-to-cart rate",
        "percent",
    ),
    "cart_rate": ("Cart to purchase", "cart-to-purchase rate", "percent"),
    "units": ("Units sold", "units sold", "count"),
    "revenue": (
        "Product revenue",
        "revenue of products",
        "money",
    ),
    "refunded_share": ("Refunded", "refunded share", "percent"),
}
#: What a rate is of.
_OF = {"add_rate": "viewed_sessions", "cart_rate": "carts"}


async def period(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    """The numbers of all products, or of the one that the page is about."""
    (now, days, others), before, currency = await asyncio.gather(
        product_rows.totals(warehouse, view, view.period), _before(warehouse, view), own_currency(warehouse)
    )
    notes = {
        "add_rate": f"{count(now['added_unviewed_sessions'])} of {count(now['added_sessions'])} adds without a view",
        "revenue": besides(others.items()),
        "refunded_share": f"{money(now['refunded'], currency)} given back",
    }
    boxes = [
        Box(
            name,
            title,
            metric,
            now[name],
            before.get(name),
            kind=kind,
            unit=currency if kind == "money" else "",
            line=list(days[name]) if name in days else (),
            is_less_better=name == "refunded_share",
            note=notes.get(name, ""),
            of=now.get(_OF.get(name, "")),
            of_before=before.get(_OF.get(name, "")),
        )
        for name, (title, metric, kind) in _BOXES.items()
    ]
    return str(view.period), boxes


async def _before(warehouse: Warehouse, view: View) -> dict[str, Any]:
    return (await product_rows.totals(warehouse, view, view.before))[0] if view.before else {}


async def _products(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await product_rows.products(warehouse, view, ORDER.chosen(view))


async def _groups(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await product_rows.groups(warehouse, view, GROUP.chosen(view))


async def _movers(warehouse: Warehouse, view: View) -> pd.DataFrame:
    return await product_rows.movers(warehouse, view, MOVER.chosen(view))


def _draw_fields(frame: pd.DataFrame, _: View) -> go.Figure:
    made = charts.scatter(
        frame["views"],
        [100 * value for value in frame["conversion"]],
        frame["name"],
        x_title="Views",
        y_title="Conversion %",
    )
    # A few products have most of the views: on an even scale all others lie on one heap.
    ticks = [digit * 10**power for power in range(8) for digit in (1, 2, 5)]
    axis = {"type": "log", "tickvals": ticks, "ticktext": [count(tick) for tick in ticks]}
    made.update_layout(xaxis=axis, xaxis_title="Views, on a logarithmic scale")
    corners = (
        ("Seldom bought", 1, 0),
        ("Show more of these", 0, 1),
        ("Best sellers", 1, 1),
    )
    for text, x, y in corners:
        sides = {"xanchor": "right" if x else "left", "yanchor": "top" if y else "bottom"}
        made.add_annotation(
            text=text, xref="paper", yref="paper", x=x, y=y, showarrow=False, opacity=0.65, font_size=11, **sides
        )
    return made


def _draw_groups(frame: pd.DataFrame, _: View) -> go.Figure:
    # One currency in one picture: the shop's, unless nothing was sold in it.
    sold = frame[frame["revenue"] > 0]
    currency = (sold if len(sold) else frame)["currency"].iloc[0]
    shown = frame[frame["currency"] == currency][:12]
    values = [float(value) for value in shown["revenue"]]
    parts = [share(value, sum(float(v) for v in frame["revenue"][frame["currency"] == currency])) for value in values]
    texts = ["" if part is None else f"{100 * part:.1f} %" for part in parts]
    made = charts.bars(shown["value"], values, name="Revenue", texts=texts)
    return made.update_layout(xaxis_title=f"Revenue, {currency}")


def _draw_movers(frame: pd.DataFrame, view: View) -> go.Figure:
    by = MOVER.chosen(view)
    changes = [float(value) for value in frame[f"{by}_change"]]
    texts = [with_minus(f"{value:+,.0f}") for value in changes]
    made = charts.bars(frame["name"], changes, name="Change", texts=texts)
    made.update_traces(marker_color=[charts.COLORS[2] if value > 0 else charts.COLORS[1] for value in changes])
    made.update_traces(marker_opacity=[0.35 if noise else 1.0 for noise in frame["is_noise"]])
    return made.update_layout(xaxis_title=f"Change of {MOVER.choices[by].lower()}; pale: may be chance")


_NAMES = {"name": Column("Product", sets="product", key="product_id"), "category": Column("Category")}
_COUNTS = {
    "views": Column("Views", "count"),
    "viewed_sessions": Column("Viewed in sessions", "count"),
    "added_sessions": Column("Added in sessions", "count"),
    "add_rate": Column("Add rate %", "percent", of="viewed_sessions"),
}
#: A rate of products in carts, which nobody adds up by category.
_BOUGHT = {"cart_rate": Column("Cart to purchase %", "percent", of="carts")}
_SALES = {
    "units": Column("Units", "count"),
    "revenue": Column("Revenue", "money"),
    "refunded": Column("Refunded", "money"),
}
#: Last, since many shops tell of no lists.
_LISTS = {
    "shown_sessions": Column("Shown in sessions", "count"),
    "click_rate": Column("Click rate %", "percent", of="shown_sessions"),
}
PARTS = (
    Boxes("period", period),
    Card(
        "groups",
        "Categories and brands",
        "Revenue of the items by the product's latest category or brand; the picture is of the shop's currency, the table has a "
        "row for each. A session counts once for each product that it viewed or added.",
        _groups,
        {
            "value": Column("Name"),
            "products": Column("Products", "count"),
            **_COUNTS,
            **_SALES,
            "currency": Column("Currency"),
            **_LISTS,
        },
        _draw_groups,
        (GROUP,),
        width=6,
        height="420px",
    ),
    Card(
        "movers",
        "Biggest changes",
        "The ten products that gained and the ten that lost most against the comparison, and whether that is more than chance "
        "(95 %), as on every page: of adds by their number, of views by their sessions, of revenue by its orders. Of a hundred "
        "products to which nothing happened, five look changed. Revenue is that in the shop's currency; adds are sessions.",
        _movers,
        {
            "name": Column("Product", sets="product", key="product_id"),
            "word": Column("Change is"),
            "revenue": Column("Revenue", "money"),
            "revenue_before": Column("Revenue before", "money"),
            "revenue_change": Column("Change", "money"),
            "orders": Column("Orders", "count"),
            "orders_before": Column("Orders before", "count"),
            "views": Column("Views", "count"),
            "views_before": Column("Views before", "count"),
            "views_change": Column("Change of views", "count"),
            "adds": Column("Adds", "count"),
            "adds_before": Column("Adds before", "count"),
            "adds_change": Column("Change of adds", "count"),
        },
        _draw_movers,
        (MOVER,),
        width=6,
        height="420px",
        empty="There is nothing to compare with, or nothing has changed. Choose a comparison, or a shorter period.",
    ),
    together.CARD,
    prices.CARD,
    Card(
        "fields",
        "Views and conversion",
        "The 100 most viewed products. Conversion is orders with the product / sessions that viewed it. The dotted cross marks "
        "the medians: half of the products lie on each side.",
        product_rows.fields,
        {
            **_NAMES,
            "views": Column("Views", "count"),
            "viewed_sessions": Column("Viewed in sessions", "count"),
            "orders": Column("Orders", "count"),
            "conversion": Column("Conversion %", "percent", of="viewed_sessions"),
            "field": Column("Field"),
        },
        _draw_fields,
        height="460px",
    ),
    Card(
        "products",
        "All products",
        "The 200 first; amounts in the shop's currency. Click rate is sessions that viewed it after a list or a search "
        "showed it / sessions that it was shown in, where the shop tells of its lists. Add rate is sessions that added it / "
        "sessions that viewed it; cart to purchase is carts with it that were bought / those and the abandoned ones; orders are "
        "those that hold it; refunded is what was given back of it since.",
        _products,
        {
            **_NAMES,
            **_COUNTS,
            **_BOUGHT,
            "orders": Column("Orders", "count"),
            **_SALES,
            "others": Column("In other currencies"),
            **_LISTS,
            "product_id": Column("Product id"),
        },
        options=(ORDER,),
        height="560px",
    ),
)
