"""Whether the numbers can be relied on, as one dot in the bar that leads to the page of it."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from htmltools import Tag, tags

from banner import FRESHNESS, FRESHNESS_SLO
from formats import duration
from pages.ledger import totals
from periods import DEFAULT_PRESET
from queries import Problem, Warehouse
from view import Bounds


async def health(warehouse: Warehouse, bounds: Bounds, now: datetime) -> Tag | None:
    """How fresh the numbers are, and whether the books of the latest four weeks balance; None where nobody can say."""
    try:
        fresh = await warehouse.frame(FRESHNESS)
        books = (await totals(warehouse, bounds.preset(DEFAULT_PRESET)))["books"]
    except Problem:
        return None
    moment = fresh["complete_to"].iat[0] if len(fresh) else None
    age = None if moment is None or pd.isna(moment) else now - moment
    is_fresh = age is not None and age <= FRESHNESS_SLO
    told = "Fresh" if is_fresh else "No hour is whole yet" if age is None else f"{duration(age.total_seconds())} old"
    tone = "bad" if books else "good" if is_fresh else "late"
    return tags.button(
        tags.span(class_="dot", aria_hidden="true"),
        tags.span(
            told, tags.span(", events are missing" if books else ", nothing is lost", class_="books"), class_="words"
        ),
        type="button",
        class_=f"health {tone}",
        data_page="reliability",
        title="How reliable these numbers are",
    )
