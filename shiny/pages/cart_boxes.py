"""The boxes of the page of carts: how much was left behind, and how much came back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from boxes import Box
from formats import FEW, count, percent
from pages import cart_rows
from queries import Warehouse
from view import View


async def boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    """The head of the row, and its boxes."""
    span = await cart_rows.span(warehouse, view)
    now, before, waiting, (days, _) = await asyncio.gather(
        cart_rows.totals(warehouse, view, span.now),
        cart_rows.totals(warehouse, view, span.before),
        cart_rows.open_carts(warehouse, view),
        cart_rows.by_day(warehouse, view, span.now),
    )

    def box(name: str, title: str, metric: str, of: str | None = None, **more: Any) -> Box:
        behind = {"of": now.get(of), "of_before": before.get(of)} if of else {}
        return Box(name, title, metric, now.get(name), before.get(name), **behind, **more)

    money_of = {"kind": "money", "unit": span.currency}
    shown = [
        box(
            "abandoned_value",
            "Left behind",
            "left behind",
            "abandoned",
            **money_of,
            line=list(days["abandoned_value"]),
            is_less_better=True,
            note=_left(now),
        ),
        box(
            "abandoned_rate",
            "Abandoned",
            "abandonment rate",
            "decided",
            kind="percent",
            line=list(days["abandoned_rate"]),
            is_less_better=True,
            note=_of(now, "abandoned", "decided") + _emptied(now) if now else "",
        ),
        box(
            "recovered_revenue",
            "Came back",
            "came back",
            "recovered",
            **money_of,
            line=list(days["recovered_revenue"]),
            note=_came_back(now, span.is_final),
        ),
        box(
            "median",
            "Time to come back",
            "time to come back",
            kind="duration",
            is_less_better=True,
            note=_few(now.get("recovered", 0), "carts"),
        ),
        Box(
            "waiting",
            "In carts now",
            "carts now",
            sum(value for _, value in waiting.values()),
            kind="money",
            unit=span.currency,
            note=f"{count(waiting['open'][0])} open, {count(waiting['idle'][0])} idle",
        ),
        box(
            "without_rate",
            "Orders without a cart",
            "orders without a cart",
            "orders",
            kind="percent",
            is_less_better=True,
            note=_of(now, "without", "orders"),
        ),
    ]
    return (str(span.now) if span.now else f"No day of {view.period} is settled yet"), shown


def _few(number: int, of: str) -> str:
    return f"of only {count(number)} {of}" if 0 < number < FEW else f"of {count(number)} {of}" if number else ""


def _of(now: dict[str, Any], part: str, whole: str) -> str:
    if not now or not now[whole]:
        return ""
    return f"{count(now[part])} of {'only ' if now[whole] < FEW else ''}{count(now[whole])}"


def _emptied(now: dict[str, Any]) -> str:
    return f", {count(now['emptied'])} emptied" if now["emptied"] else ""


def _left(now: dict[str, Any]) -> str:
    unpriced = (
        f"{count(now['abandoned_unpriced'])} with a piece without a price" if now.get("abandoned_unpriced") else ""
    )
    return ", ".join(filter(None, (f"in {count(now['abandoned'])} carts" if now else "", now.get("others"), unpriced)))


def _came_back(now: dict[str, Any], is_final: bool) -> str:
    if not now or not now["abandoned"]:
        return ""
    carts = f"{_of(now, 'recovered', 'abandoned')} carts, {percent(now['recovered_rate'])}"
    return carts if is_final else f"{carts} so far"
