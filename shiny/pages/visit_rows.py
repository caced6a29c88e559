"""Rows of the page about one source, campaign, landing page or search: its visits, and what became of them."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pandas as pd

from dimensions import DIMENSIONS
from formats import share
from names import spelled
from origins import SOURCE
from pages.funnel_rows import shop
from periods import Period
from queries import PERIOD, SEGMENT, Warehouse
from view import View

_OWN = "currency = (select currency from shop_settings)"
_VISITS = f"select * from fact_sessions where {PERIOD} and {SEGMENT} and {{where}}"
_COUNTS = """count(*) as sessions, count(*) filter (where is_new_visitor) as new_visitors,
    count(*) filter (where is_bounce) as bounces, count(*) filter (where purchase_count > 0) as purchases"""
_DAYS = f"""
    with visits as ({_VISITS}),
    traffic as (select local_date as at, {_COUNTS} from visits group by 1),
    money as (
        select
            visits.local_date as at, count(*) as orders, count(*) filter (where {_OWN}) as own_orders,
            sum(revenue) filter (where {_OWN}) as revenue
        from visits inner join fact_orders using (session_key) group by 1
    )
    select traffic.*, orders, own_orders, revenue from traffic left join money using (at) order by at
"""
_BY = f"""
    with visits as ({_VISITS}),
    money as (
        select session_key, sum(revenue) filter (where {_OWN}) as revenue
        from visits inner join fact_orders using (session_key) group by session_key
    )
    select {{key}} as value, {_COUNTS}, coalesce(sum(revenue), 0) as revenue
    from visits left join money using (session_key) group by 1 order by sessions desc, value limit 100
"""
_STEPS = f"select funnel_step as step, count(*) as sessions from ({_VISITS}) as visits group by 1"
_BOUGHT = f"""
    with visits as ({_VISITS}),
    bought as (
        select product_id, currency, count(*) filter (where is_first_of_product) as orders, sum(quantity)::bigint as units,
            sum(fact_order_items.revenue) as revenue
        from visits
        inner join fact_orders using (session_key)
        inner join fact_order_items using (order_id, currency)
        where product_id is not null
        group by product_id, currency
    )
    select bought.*, coalesce(product_name, product_id) as name
    from bought left join dim_product using (product_id)
    order by bought.{_OWN} desc, revenue desc nulls last, product_id limit 200
"""
#: What visits can be told apart by.
KEYS = {
    "landing": "coalesce(entry_path, '(none)')",
    "source": f"coalesce({SOURCE}, '(none)')",
    "campaign": "coalesce(campaign, '(none)')",
    "channel": "channel",
    "device": "coalesce(device_type, '(none)')",
    "country": "coalesce(country, '(none)')",
}


def of(view: View, sql: str, **constants: str) -> str:
    """A query of the visits that the page is about; of none, where it is about nothing."""
    return sql.format(where=DIMENSIONS[view.about[0]].where if view.about else "false", **constants)


async def by_day(warehouse: Warehouse, view: View, period: Period) -> pd.DataFrame:
    """A row for each day: `at`, `sessions`, `new_visitors`, `bounces`, `purchases`, `orders`, and the `revenue` in the shop's own
    currency."""
    found = await warehouse.frame(of(view, _DAYS), view.parameters(period))
    days = found.set_index("at").reindex(pd.date_range(period.start, period.end).date)
    days.index.name = "at"
    return days.infer_objects().fillna(0).reset_index()


async def totals(warehouse: Warehouse, view: View, period: Period) -> dict[str, Any]:
    """The sums of a period."""
    days = await by_day(warehouse, view, period)
    now: dict[str, Any] = {name: int(days[name].sum()) for name in days.columns if name not in ("at", "revenue")}
    return now | {
        "revenue": days["revenue"].sum(),
        "new_share": share(now["new_visitors"], now["sessions"]),
        "bounce_rate": share(now["bounces"], now["sessions"]),
        "conversion": share(now["purchases"], now["sessions"]),
    }


async def trend(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """The days of the period, with those of the comparison beside them as NAME_before. Empty when nobody came."""
    frame = await by_day(warehouse, view, view.period)
    if view.before:
        earlier = await by_day(warehouse, view, view.before)
        for name in ("sessions", "orders", "revenue"):
            frame[f"{name}_before"] = earlier[name].reindex(frame.index)
    return frame if frame["sessions"].sum() else frame[:0]


async def told_apart(warehouse: Warehouse, view: View, by: str) -> pd.DataFrame:
    """A row for each value of one of `KEYS`."""
    frame = (await warehouse.frame(of(view, _BY, key=KEYS[by]), view.parameters())).copy()
    for rate, part in (("bounce_rate", "bounces"), ("conversion", "purchases")):
        frame[rate] = [share(*pair) for pair in zip(frame[part], frame["sessions"], strict=True)]
    return frame


async def steps(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each step of the shop's funnel: how many `reached` it, and of the step before."""
    found, own = await asyncio.gather(warehouse.frame(of(view, _STEPS), view.parameters()), shop(warehouse))
    counts = [int(found["sessions"][found["step"] >= number].sum()) for number in range(len(own["steps"]) + 1)]
    frame = pd.DataFrame({"step": ["Visit", *(spelled(name) for name in own["steps"])], "reached": counts})
    frame["rate"] = [None, *(share(now, was) for was, now in pairwise(counts))]
    return frame if counts[0] else frame[:0]


async def bought(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each product and currency that these visits ordered."""
    return await warehouse.frame(of(view, _BOUGHT), view.parameters())
