"""Now: the last half hour, at most a tick old, and it says how old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd
import plotly.graph_objects as go
from htmltools import Tag, TagList, tags

import charts
from banner import FRESHNESS_SLO
from boxes import Box, Boxes
from cards import Card, Column
from formats import besides, count, duration
from pages import now_rows
from pages.now_rows import MINUTES, Window, by_minute
from queries import Warehouse
from view import View

TITLE = "Now"
ABOUT = (
    f"The last {MINUTES} minutes, as far as they are loaded, without bots. An hour in progress may still grow. It is "
    "about now: period and filters do not apply here."
)
_BOXES = {
    "visitors": ("Visitors", "visitors now"),
    "views": ("Page views", "page views now"),
    "carts": ("Added to cart", "adds to cart now"),
}
_LINES = {"views": "Page views", "visitors": "Visitors", "carts": "Added to cart", "orders": "Orders"}


async def _boxes(warehouse: Warehouse, _: View) -> tuple[TagList, Sequence[Box]]:
    shown = await now_rows.window(warehouse)
    now, orders = await now_rows.totals(warehouse)
    minutes = await by_minute(warehouse)
    own = orders[orders["currency"] == shown.currency]
    others = orders[orders["currency"] != shown.currency]
    boxes = [
        Box(name, title, metric, int(now[name]), line=list(minutes[name])) for name, (title, metric) in _BOXES.items()
    ]
    boxes.append(
        Box(
            "orders",
            "Orders",
            "orders now",
            int(orders["orders"].sum()),
            line=list(minutes["orders"]),
        )
    )
    boxes.append(
        Box(
            "revenue",
            "Revenue",
            "revenue now",
            own["revenue"].iat[0] if len(own) else 0,
            kind="money",
            unit=shown.currency,
            line=list(minutes["revenue"]),
            note=besides(zip(others["currency"], others["revenue"], strict=True)),
        )
    )
    return head(shown, datetime.now(UTC)), boxes


def head(shown: Window, now: datetime) -> TagList:
    """Which half hour it is, and how old that is."""
    start, end = (pd.Timestamp(moment).tz_convert(shown.timezone) for moment in (shown.start, shown.until))
    day = "" if end.date() == pd.Timestamp(now).tz_convert(shown.timezone).date() else f"{start:%-d %b %Y}, "
    span = f"{day}{start:%H:%M} to {end:%H:%M}"
    shows = f"Shown: the {MINUTES} minutes up to then, {span}"
    if not shown.is_now:
        return TagList("Not now: the latest event is ", _age(shown.end, now), f" old. {shows}")
    if now - shown.until > FRESHNESS_SLO:
        return TagList("Not now: what is loaded ends ", _age(shown.until, now), f" ago. {shows}")
    made = TagList(f"{span}. Events up to {end:%H:%M:%S}")
    if shown.loaded:
        made.extend(["; loaded ", _age(shown.loaded, now), " ago"])
    return made


def _age(moment: datetime, now: datetime) -> Tag:
    """It goes on by itself on the page (www/dashboard.js)."""
    return tags.time(duration((now - moment).total_seconds()), datetime=moment.isoformat(), data_age="")


def _draw(frame: pd.DataFrame, _: View) -> go.Figure:
    made = charts.series(list(frame["at"]), [(label, list(frame[name])) for name, label in _LINES.items()])
    return made.update_layout(
        xaxis={"tickformat": "%H:%M", "hoverformat": "%H:%M", "showgrid": False, "fixedrange": True}
    )


def _draw_pages(frame: pd.DataFrame, _: View) -> go.Figure:
    return _bars(frame["page_path"][:10], frame["views"][:10], "Page views")


def _draw_products(frame: pd.DataFrame, _: View) -> go.Figure:
    seen = frame[frame["views"] > 0][:10]
    return _bars(seen["product"], seen["views"], "Views")


def _draw_sources(frame: pd.DataFrame, _: View) -> go.Figure:
    channels = frame.groupby("channel")["visitors"].sum().sort_values(ascending=False)[:10]
    return _bars(list(channels.index), list(channels), "Visitors")


def _bars(labels: Sequence[str], values: Sequence[int], name: str) -> go.Figure:
    return charts.bars(labels, values, name=name, texts=[count(value) for value in values], most=28)


PARTS = (
    Boxes("state", _boxes),
    Card(
        "minutes",
        "Minute by minute",
        "Visitors with an event in the minute, page views, adds to cart, orders and their revenue (the shop's currency), by the "
        "shop's clock. The last minute is not over. Visitors of minutes do not add up: one stays for several.",
        by_minute,
        {
            "when": Column("Minute", "date"),
            "visitors": Column("Visitors", "count"),
            "views": Column("Page views", "count"),
            "carts": Column("Added to cart", "count"),
            "orders": Column("Orders", "count"),
            "revenue": Column("Revenue", "money"),
        },
        _draw,
        height="260px",
        is_filtered=False,
    ),
    Card(
        "pages",
        "Pages they look at",
        "page_view and view_product events by path, and the visitors who sent them.",
        now_rows.pages,
        {
            "page_path": Column("Page", sets="path"),
            "views": Column("Views", "count"),
            "visitors": Column("Visitors", "count"),
        },
        _draw_pages,
        width=4,
        empty="No page was looked at in these minutes.",
        is_filtered=False,
    ),
    Card(
        "products",
        "Products they look at",
        "view_product and add_to_cart events by product, and the visitors who sent them. The chart has the most viewed.",
        now_rows.products,
        {
            "product": Column("Product", sets="product", key="product_id"),
            "views": Column("Views", "count"),
            "carts": Column("Added", "count"),
            "visitors": Column("Visitors", "count"),
        },
        _draw_products,
        width=4,
        empty="No product was looked at in these minutes.",
        is_filtered=False,
    ),
    Card(
        "sources",
        "Where they came from",
        "Visitors by the channel and source of their session; each visitor once, by the session of their latest event.",
        now_rows.sources,
        {
            "channel": Column("Channel"),
            "source": Column("Source"),
            "visitors": Column("Visitors", "count"),
        },
        _draw_sources,
        width=4,
        empty="Nobody was there in these minutes.",
        is_filtered=False,
    ),
)
