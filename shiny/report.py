"""A period of the shop as a mail: parts of the dashboard's pages, with their rows, as HTML for mail programs and as plain text.

python report.py --from 2026-11-23 --to 2026-11-29 --title "Week 48" [--dashboard URL]

prints one JSON object: `html`, `text` and `headline`, or `problem` with what to do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from types import ModuleType

import pandas as pd

import report_html
import report_text
from banner import bounds
from boxes import Box, Boxes
from cards import Card
from formats import is_missing, money
from pages import carts, overview, products, search
from pages.totals import by_time
from periods import Period
from queries import Problem, Warehouse, dsn
from view import Bounds, View, to_query


@dataclass(frozen=True)
class Excerpt:
    """A part of a page: of its boxes those with these ids, of its card the columns and the first rows."""

    page: ModuleType
    part: str
    title: str
    names: tuple[str, ...]
    most: int = 8

    @property
    def of(self) -> Boxes | Card:
        """The part itself. Raises when the page has none of that name."""
        [found] = [part for part in self.page.PARTS if part.id == self.part]
        assert isinstance(found, Boxes | Card)
        return found


@dataclass(frozen=True)
class Told:
    """An excerpt with its numbers: boxes, or the rows of a card."""

    excerpt: Excerpt
    boxes: Sequence[Box] = ()
    frame: pd.DataFrame | None = None

    @property
    def says_nothing(self) -> bool:
        """True for an excerpt that a mail does better without. The first one, without a title, stays."""
        if self.frame is not None:
            return bool(self.frame.empty)
        return bool(self.excerpt.title) and not any(box.value for box in self.boxes if not is_missing(box.value))


@dataclass(frozen=True)
class Report:
    """All that a mail says."""

    title: str
    view: View
    bounds: Bounds
    told: Sequence[Told]
    days: pd.DataFrame
    link: str | None


CONTENTS = (
    Excerpt(overview, "period", "", ("visitors", "sessions", "conversion", "orders", "revenue", "order_value")),
    Excerpt(overview, "channels", "Where revenue came from", ("value", "revenue", "orders", "conversion")),
    Excerpt(overview, "sold", "What sold", ("name", "revenue", "orders"), 10),
    Excerpt(
        products,
        "movers",
        "Revenue that changed by more than chance",
        ("name", "revenue_before", "revenue", "revenue_change"),
        10,
    ),
    Excerpt(carts, "totals", "Carts left behind", ("abandoned_value", "abandoned_rate", "recovered_revenue")),
    Excerpt(search, "unclicked", "Searches nobody clicked", ("term", "unclicked", "searches"), 5),
)


async def report(warehouse: Warehouse, period: Period, title: str, dashboard: str | None) -> Report:
    """The numbers of a period, as its pages would show them. Raises `Problem`."""
    known = await bounds(warehouse)
    if known is None:
        raise Problem(
            "No events yet",
            "Send some, or import a file: clickstream gateway -h, clickstream import -h; then clickstream materialize",
        )
    if period.end < known.first or period.start > known.latest:
        raise Problem(
            "Nothing happened", f"There is no event of {period}: they reach from {known.first} to {known.latest}."
        )
    view = View("overview", period, known.first, known.complete, preset="custom")
    told = await asyncio.gather(*(_tell(warehouse, view, excerpt) for excerpt in CONTENTS))
    days = await by_time(warehouse, view, (period.start, period.end))
    link = f"{dashboard.rstrip('/')}/{to_query(view)}" if dashboard else None
    return Report(title, view, known, told, days, link)


async def _tell(warehouse: Warehouse, view: View, excerpt: Excerpt) -> Told:
    part = excerpt.of
    if isinstance(part, Card):
        frame = await part.rows(warehouse, view)
        # A page shows what may be chance, and marks it; in a mail it would be news.
        frame = frame[~frame["is_noise"].astype(bool)] if "is_noise" in frame else frame
        return Told(excerpt, frame=frame[: excerpt.most])
    _, boxes = await part.rows(warehouse, view)
    named = {box.id.removeprefix(f"{part.id}_"): box for box in boxes}
    return Told(excerpt, [named[name] for name in excerpt.names])


def headline(told: Report) -> str:
    """The subject of the mail: the period, and what it brought."""
    named = {box.metric: box for box in told.told[0].boxes}
    revenue, orders = named["revenue"], named["order"]
    count = f"{orders.value:,} order{'' if orders.value == 1 else 's'}"
    return f"{told.title}: {money(revenue.value, revenue.unit)}, {count}"


async def _made(arguments: argparse.Namespace) -> dict[str, str]:
    try:
        made = await report(
            Warehouse(dsn()), Period(arguments.start, arguments.end), arguments.title, arguments.dashboard
        )
    except Problem as problem:
        return {"problem": f"{problem.title}. {problem.advice}"}
    return {"html": report_html.page(made), "text": report_text.page(made), "headline": headline(made)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="start", type=date.fromisoformat, required=True)
    parser.add_argument("--to", dest="end", type=date.fromisoformat, required=True)
    parser.add_argument("--title", required=True)
    parser.add_argument("--dashboard")
    return parser.parse_args()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_made(_arguments()))))
