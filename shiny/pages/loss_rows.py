"""What searches without results may cost: their sessions buy less than others that search. An estimate, never more."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

import banner
from formats import is_missing, share
from noise import Interval, difference
from periods import Period
from queries import PERIOD, SEGMENT, Warehouse
from view import View

SHOWN = 200
#: A session with a search that found nothing is one without results, whatever else it searched for; bought is what follows it.
_SESSIONS = f"""
    select
        is_without, count(*)::bigint as sessions, count(*) filter (where is_bought)::bigint as bought
    from (
        select
            bool_or(without_results > 0) as is_without,
            case
                when bool_or(without_results > 0) then bool_or(has_purchase) filter (where without_results > 0)
                else bool_or(has_purchase)
            end as is_bought
        from fact_session_searches where {PERIOD} and {SEGMENT} group by session_key
    ) as visits
    group by is_without
"""
_TERMS = f"""
    select term, count(*)::bigint as sessions, count(*) filter (where has_purchase)::bigint as bought
    from fact_session_searches where {PERIOD} and {SEGMENT} and without_results > 0
    group by term order by sessions desc, term limit {SHOWN}
"""
_ORDERS = f"""
    select coalesce(sum(orders), 0)::bigint as orders, coalesce(sum(revenue), 0) as revenue
    from agg_daily_search where {PERIOD} and {SEGMENT} and currency = %(currency)s
"""


@dataclass(frozen=True)
class Losses:
    """Sessions with a search in a period, by whether one found nothing, and what an order after a search is worth."""

    sessions: int
    bought: int
    sessions_without: int
    bought_without: int
    order_value: float | None

    @property
    def rate(self) -> float | None:
        """Of sessions of which every search found something, those that bought after one."""
        return share(self.bought, self.sessions)

    @property
    def rate_without(self) -> float | None:
        """Of sessions with a search that found nothing, those that bought after it."""
        return share(self.bought_without, self.sessions_without)

    @property
    def gap(self) -> Interval | None:
        """How much more often the others buy; None where one of the two is not known."""
        if self.rate is None or self.rate_without is None:
            return None
        return difference(self.bought, self.sessions, self.bought_without, self.sessions_without)

    @property
    def is_noise(self) -> bool:
        """Whether the two may well buy equally often."""
        return self.gap is None or self.gap.has_zero

    def of(self, sessions: int) -> tuple[float | None, float | None, float | None]:
        """What so many sessions without results may have lost, and its interval; nothing where they buy as often as others."""
        gap = self.gap
        if gap is None or self.order_value is None:
            return None, None, None
        worth = sessions * self.order_value
        return max(0.0, gap.value) * worth, max(0.0, gap.low) * worth, max(0.0, gap.high) * worth


async def losses(warehouse: Warehouse, view: View, period: Period, currency: str) -> Losses:
    """The numbers of a period."""
    bound = {**view.parameters(period), "currency": currency}
    found = (await warehouse.frame(_SESSIONS, bound)).set_index("is_without")
    orders = (await warehouse.frame(_ORDERS, bound)).iloc[0]

    def counted(is_without: bool, name: str) -> int:
        return int(found.at[is_without, name]) if is_without in found.index else 0

    return Losses(
        counted(False, "sessions"),
        counted(False, "bought"),
        counted(True, "sessions"),
        counted(True, "bought"),
        share(orders["revenue"], orders["orders"]),
    )


async def terms(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each term that found nothing, with what its sessions may have lost."""
    bounds = await banner.bounds(warehouse)
    currency = bounds.currency if bounds else ""
    of_all = await losses(warehouse, view, view.period, currency)
    frame = (await warehouse.frame(_TERMS, view.parameters())).copy()
    frame["bought_rate"] = [share(*pair) for pair in zip(frame["bought"], frame["sessions"], strict=True)]
    frame["rate_with"], frame["rate_without"] = of_all.rate, of_all.rate_without
    lost = [of_all.of(int(sessions)) for sessions in frame["sessions"]]
    for place, name in enumerate(("lost", "lost_low", "lost_high")):
        frame[name] = pd.Series([one[place] for one in lost], dtype="object")
    frame["lost_orders"] = [None if of_all.gap is None else max(0.0, of_all.gap.value) * n for n in frame["sessions"]]
    frame["currency"] = currency
    frame["word"] = [_word(of_all, value) for value in frame["lost"]]
    return frame


def _word(of_all: Losses, lost: float | None) -> str:
    if is_missing(lost):
        return "cannot be told"
    return "may be chance" if of_all.is_noise else "estimate" if lost else "none"
