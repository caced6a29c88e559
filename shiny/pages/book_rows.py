"""The shop's own orders and those of events: by day, and the ones on which the two do not agree."""

from __future__ import annotations

from typing import Any

import pandas as pd

from formats import is_missing, share
from pages.ledger import timezone, told
from periods import Period
from queries import PERIOD, Warehouse
from view import View

#: So many orders are shown.
MOST = 500
_SHOWN_PIECES = 120

_IS_CONNECTED = "select not isempty(known) as is_connected from shop_readings"
_SALE = f"{PERIOD} and is_judged and is_in_shop and outcome <> 'sold by events alone'"
#: Money in the shop's currency alone.
_DAYS = f"""
    select
        daily.local_date as at, sum(daily.orders)::bigint as orders, sum(daily.arrived)::bigint as arrived,
        sum(daily.missing)::bigint as missing, sum(daily.differing)::bigint as differing, sum(daily.surplus)::bigint as surplus,
        coalesce(sum(daily.revenue) filter (where daily.currency = shop_settings.currency), 0) as revenue,
        coalesce(sum(daily.arrived_revenue) filter (where daily.currency = shop_settings.currency), 0) as arrived_revenue,
        shop_settings.currency
    from daily_reconciliation as daily
    cross join shop_settings
    where {PERIOD}
    group by daily.local_date, shop_settings.currency
    order by daily.local_date
"""
_ORDERS = f"""
    select
        ordered_at, order_id, outcome, status, total, revenue, currency, event_currency, refunded, event_refunded, explained_by,
        pieces, event_pieces, has_order_id
    from order_reconciliation
    where {PERIOD} and is_judged and outcome <> 'agrees'
    order by ordered_at desc, order_id limit {MOST}
"""
_LONGEST_RUN = f"""
    with sales as (
        select
            ordered_at, is_in_events,
            row_number() over (order by ordered_at, order_id)
            - row_number() over (partition by is_in_events order by ordered_at, order_id) as run
        from order_reconciliation where {_SALE}
    )
    select count(*) as orders, min(ordered_at) as first_at, max(ordered_at) as last_at, sum(count(*)) over () as missing
    from sales where not is_in_events group by run order by count(*) desc, min(ordered_at) limit 1
"""


async def numbers(warehouse: Warehouse, period: Period | None) -> dict[str, Any]:
    """The sums of a period; nothing where none of its orders can be judged."""
    if period is None:
        return {}
    frame = await warehouse.frame(_DAYS, {"start": period.start, "end": period.end})
    if frame.empty:
        return {}
    sums = {name: frame[name].sum() for name in frame.columns if name not in ("at", "currency")}
    sums |= {name: int(sums[name]) for name in ("orders", "arrived", "missing", "differing", "surplus")}
    return {**sums, "currency": frame["currency"].iat[0]}


async def is_connected(warehouse: Warehouse) -> bool:
    """Whether any order of the shop was ever read."""
    return bool((await warehouse.frame(_IS_CONNECTED))["is_connected"].iat[0])


async def days(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each date with an order that can be judged."""
    frame = (await warehouse.frame(_DAYS, {"start": view.period.start, "end": view.period.end})).copy()
    for name, part, whole in (("share", "arrived", "orders"), ("revenue_share", "arrived_revenue", "revenue")):
        frame[name] = [share(*pair) for pair in zip(frame[part], frame[whole], strict=True)]
    return frame


async def orders(warehouse: Warehouse, period: Period) -> pd.DataFrame:
    """The latest orders on which the two do not agree."""
    return await warehouse.frame(_ORDERS, {"start": period.start, "end": period.end})


async def longest_run(warehouse: Warehouse, period: Period) -> dict[str, Any]:
    """The most orders in a row that did not arrive, and how many did not at all; nothing where all did."""
    found = await warehouse.frame(_LONGEST_RUN, {"start": period.start, "end": period.end})
    return {} if found.empty else dict(found.iloc[0])


async def unlike(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """The latest orders on which the two do not agree, each with what differs."""
    frame = (await orders(warehouse, view.period)).copy()
    zone = await timezone(warehouse)
    frame["when"] = [told(at, zone) for at in frame["ordered_at"]]
    frame["detail"] = [_detail(row) for row in frame.to_dict("records")]
    return frame


def _detail(row: dict[str, Any]) -> str | None:
    if row["outcome"] == "currency differs":
        return f"{row['currency']} in the shop, {row['event_currency']} by events"
    if row["outcome"] == "amount differs" and not is_missing(row["explained_by"]):
        return f"by its {row['explained_by']}"
    if row["outcome"] == "items differ":
        shop, events = row["pieces"] or {}, row["event_pieces"] or {}
        off = [
            f"{name}: {shop.get(name, 0)} / {events.get(name, 0)}"
            for name in sorted({*shop, *events})
            if shop.get(name) != events.get(name)
        ]
        text = ", ".join(off)
        return f"{text[:_SHOWN_PIECES]} …" if len(text) > _SHOWN_PIECES else text
    if row["outcome"] == "sold by events alone":
        return "cancelled or never paid in the shop, and no refund by events"
    return None if row["has_order_id"] else "came without an order id"
