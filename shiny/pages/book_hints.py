"""What the orders themselves say of why some did not arrive by events or differ there, and nothing beyond that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from htmltools import Tag, tags

from boxes import Box
from formats import count
from pages import book_rows
from pages.ledger import timezone, told
from queries import Warehouse
from view import View

#: So many orders in a row, and at least half of all that are missing, are one trouble and no chance.
IN_A_ROW = 5
#: So many orders, and at least half of those of another amount, must differ by the same part.
ALIKE = 3


async def rows(warehouse: Warehouse, view: View) -> tuple[Tag, Sequence[Box]]:
    """A line for each thing that can be said."""
    now = await book_rows.numbers(warehouse, view.period)
    if not now:
        return tags.span(), ()
    orders = await book_rows.orders(warehouse, view.period)
    run = await book_rows.longest_run(warehouse, view.period)
    said = [*_of_ids(now, orders), *_of_missing(now, run, await timezone(warehouse)), *_of_differing(orders)]
    return tags.div(*(tags.p(text, class_="hint") for text in said), class_="hints", role="status"), ()


def _of_ids(now: dict[str, Any], orders: pd.DataFrame) -> Sequence[str]:
    alone = orders[orders["outcome"] == "missing in the shop"]
    if now["orders"] and not now["arrived"] and len(alone):
        example = str(alone["order_id"].iat[0])[:40]
        return (
            f"No order of events, such as {example}, has an id of the shop: the page sends other ids than the shop's query or "
            "file gives.",
        )
    nameless = int((~alone["has_order_id"].astype(bool)).sum())
    return (
        (f"{count(nameless)} purchases came without an order id, so no order of the shop is found by them.",)
        if nameless
        else ()
    )


def _of_missing(now: dict[str, Any], run: dict[str, Any], zone: str) -> Sequence[str]:
    if not now["missing"] or not now["arrived"] or not run:
        return ()
    in_a_row = int(run["orders"])
    if in_a_row >= IN_A_ROW and 2 * in_a_row >= run["missing"]:
        return (
            f"{count(in_a_row)} of those that did not arrive follow each other, from {told(run['first_at'], zone)} to "
            f"{told(run['last_at'], zone)}: look at what changed in the shop or the collector then.",
        )
    if now["missing"] >= IN_A_ROW:
        return (
            f"Those that did not arrive lie between others that did, at most {count(in_a_row)} in a row: single visits, where "
            "the tracker was blocked or the thank-you page was not reached, rather than a fault of the shop.",
        )
    return ()


def _of_differing(orders: pd.DataFrame) -> Sequence[str]:
    off = orders[orders["outcome"] == "amount differs"]
    explained = off["explained_by"].dropna()
    part, alike = next(iter(explained.value_counts().items()), (None, 0))
    if alike >= ALIKE and 2 * alike >= len(off):
        return (
            f"In {count(int(alike))} of {count(len(off))} orders of another amount, the difference is just "
            f"the order's {part}: the page and the shop do not both count it.",
        )
    return ()
