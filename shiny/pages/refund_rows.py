"""Refunds by the date on which they were given; everywhere else they count on the date of their order."""

from __future__ import annotations

import pandas as pd

from periods import Period
from queries import SEGMENT, Warehouse
from view import View

#: All of an order's refunds count with its first one: shops send one again, and what is over must stay as it was.
_REFUNDS = f"""
    with moments as (
        select
            %(start)s::date::timestamp at time zone shop_settings.timezone as start,
            (%(end)s::date + 1)::timestamp at time zone shop_settings.timezone as stop,
            timezone, currency
        from shop_settings
    ),
    firsts as (
        select order_key, min(event_timestamp) as given_at from clickstream_events
        where event_name = 'refund' and order_key is not null
            and event_timestamp >= (select start from moments) and event_timestamp < (select stop from moments)
        group by order_key
    )
    select
        date_trunc(%(span)s, given_at at time zone moments.timezone) as at, sum(fact_orders.refunded) as refunds
    from firsts
    cross join moments
    inner join fact_orders on fact_orders.order_id = firsts.order_key and fact_orders.currency = moments.currency
    where {SEGMENT} and not exists (
        select from clickstream_events as earlier
        where earlier.order_key = firsts.order_key and earlier.event_name = 'refund' and earlier.event_timestamp < moments.start
    )
    group by 1 order by 1
"""


async def by_time(warehouse: Warehouse, view: View, period: Period) -> pd.Series[float]:
    """What was given back in the shop's currency, by day, or by hour of one day, where anything was."""
    span = "hour" if period.days == 1 else "day"
    frame = await warehouse.frame(_REFUNDS, {**view.parameters(period), "span": span})
    at = [moment if period.days == 1 else moment.date() for moment in frame["at"]]
    return pd.Series(list(frame["refunds"]), index=pd.Index(at, dtype=object), dtype=object)
