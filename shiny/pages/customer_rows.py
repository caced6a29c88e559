"""What the customers' page asks for. Its filters go by how a person first came, so that each person is in them or is not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd

from formats import FEW, share
from pages.cohorts import monday
from periods import Period
from queries import PERIOD, SEGMENT, Warehouse
from view import View

#: Days after the first purchase for which there is a value.
WINDOWS = (30, 90, 365)
#: New customers are looked at over a year, so that a season is in it once.
YEAR = timedelta(days=365)
#: Days by which a second purchase may have come.
STEPS = (7, 14, 30, 60, 90, 180, 365)
#: From the most to be kept to those who are gone; what a shop owner does about each.
GROUPS = {
    "champions": "Bought lately and often. Thank them: early access, a word from you. No discount is needed.",
    "loyal": "Come back again and again. Show them what is new, and ask for a review.",
    "potential loyalists": "Lately, and more than once. Offer what goes with what they have.",
    "new": "First purchase just now. A good start: help with it, then a reason for the second.",
    "promising": "First purchase a while ago. Remind them while they remember you.",
    "need attention": "In the middle of all. Ask for a visit with something of their own taste.",
    "about to sleep": "Seldom, and not for a while. A reminder now is cheaper than winning them back.",
    "at risk": "Came often, and have stayed away. Write in person, and ask what went wrong.",
    "cannot lose": "Your most frequent buyers, long away. Call them before you spend on new ones.",
    "hibernating": "Once or twice, long ago. Spend little: one last offer, then leave them.",
}

_OWN = "currency = (select currency from shop_settings)"
_BUYERS = f"""
    select
        count(*) filter (where previous_on is null or previous_on < %(start)s) as buyers,
        count(*) filter (where order_number = 1) as new,
        (select currency from shop_settings) as currency
    from fact_customer_orders where {PERIOD} and {SEGMENT}
"""
_ORDERS = f"""
    select
        {{day}} as at, sum(new_orders)::bigint as new_orders, sum(returning_orders)::bigint as returning_orders,
        coalesce(sum(new_revenue) filter (where {_OWN}), 0) as new_revenue,
        coalesce(sum(returning_revenue) filter (where {_OWN}), 0) as returning_revenue
    from agg_daily_customers where {PERIOD} and {SEGMENT} group by 1 order by 1
"""
#: Customers for whom {days} days are over, by any column; repeat customers of all currencies, money of the shop's own.
_WORTH = f"""
    select
        {{by}} as value, sum(customers)::bigint as customers, sum(repeat_{{days}})::bigint as repeated,
        coalesce(sum(customers) filter (where {_OWN}), 0)::bigint as valued,
        sum(value_{{days}}) filter (where {_OWN}) as amount, (select currency from shop_settings) as currency
    from agg_customer_cohorts where {PERIOD} and {SEGMENT} group by 1 order by 2 desc, 1 limit 100
"""
_MONTHS = f"""
    select
        date_trunc('month', local_date)::date as month, sum(customers)::bigint as customers,
        coalesce(sum(customers) filter (where {_OWN}), 0)::bigint as valued,
        {", ".join(f"sum(repeat_{n})::bigint as repeat_{n}" for n in WINDOWS)},
        {", ".join(f"sum(value_{n}) filter (where {_OWN}) as value_{n}" for n in WINDOWS)}
    from agg_customer_cohorts where {PERIOD} and {SEGMENT} group by 1 order by 1
"""
_SECOND = f"""
    with customers as (
        select local_date, days_to_second from fact_customers where {PERIOD} and {SEGMENT}
    )
    select
        steps.days, count(*) as customers,
        count(*) filter (where days_to_second <= steps.days) as returned
    from unnest(%(steps)s) as steps (days)
    inner join customers on %(last)s::date - steps.days - customers.local_date between 0 and 364
    group by 1 order by 1
"""
_TIME_TO_SECOND = f"""
    select count(*) as customers, percentile_cont(0.5) within group (order by days_to_second) as days
    from fact_customers where {PERIOD} and {SEGMENT} and local_date + days_to_second <= %(end)s
"""
_GROUPS = f"""
    select
        rfm_group as name, count(*) as customers, avg(days_since_order)::float as days, avg(purchases)::float as purchases,
        coalesce(sum(net_revenue) filter (where {_OWN}), 0) as revenue,
        (select local_date from last_whole_day) as at
    from customer_rfm where {SEGMENT} group by 1
"""
#: Everybody who has come, whatever they bought.
_SEGMENTS = f"""
    with members as (
        select segment_members.segment, dim_person.person_id from segment_members
        inner join dim_person on dim_person.person_id = segment_members.person_id
        where {SEGMENT}
    )
    select
        segments.label, segments.segment, count(members.person_id) as people, count(fact_customers.person_id) as buyers,
        coalesce(sum(revenue - refunded) filter (where {_OWN}), 0) as revenue
    from segments
    left join members on members.segment = segments.segment
    left join fact_customers on fact_customers.person_id = members.person_id and not fact_customers.is_bot
    group by segments.segment, segments.label, segments.place order by segments.place
"""


def last_day(view: View) -> date:
    """The last day of the period that is whole."""
    return min(view.period.end, view.complete)


def known(view: View, days: int) -> Period:
    """First purchases of a year for which so many days are over: the year ends that many days before the period does."""
    end = last_day(view) - timedelta(days=days)
    return Period(end - YEAR + timedelta(days=1), end)


async def buyers(warehouse: Warehouse, view: View, period: Period) -> dict[str, Any]:
    """`buyers` of a period, `new` and `returning` ones, and the `returning_share` of its revenue."""
    found = (await warehouse.frame(_BUYERS, view.parameters(period))).iloc[0]
    days = await warehouse.frame(_ORDERS.format(day="local_date"), view.parameters(period))
    new, again = days["new_revenue"].sum(), days["returning_revenue"].sum()
    return {
        "buyers": int(found["buyers"]),
        "new": int(found["new"]),
        "returning": int(found["buyers"] - found["new"]),
        "returning_share": share(again, new + again),
        "currency": str(found["currency"]),
    }


async def worth(warehouse: Warehouse, view: View, days: int, by: str = "true") -> pd.DataFrame:
    """What the new customers of a year came to in their first days: `customers`, how many `repeated`, the `rate`, the `average`
    of the `valued` ones; a row for each value of a column."""
    sql = _WORTH.format(days=days, by=by)
    frame = (await warehouse.frame(sql, view.parameters(known(view, days)))).copy()
    frame["rate"] = [share(*pair) for pair in zip(frame["repeated"], frame["customers"], strict=True)]
    frame["average"] = [share(*pair) for pair in zip(frame["amount"], frame["valued"], strict=True)]
    frame["note"] = ["few" if count < FEW else "" for count in frame["customers"]]
    return frame


async def orders(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """New and returning orders of each day, or of each week (from its Monday) where the period is long."""
    is_long = view.period.days > 62
    frame = (await warehouse.frame(_ORDERS.format(day="local_date"), view.parameters())).copy()
    if is_long:
        frame["at"] = [monday(at) for at in frame["at"]]
        frame = frame.groupby("at", as_index=False).sum()
    counts = zip(frame["returning_orders"], frame["new_orders"] + frame["returning_orders"], strict=True)
    frame["share"] = [share(*pair) for pair in counts]
    return frame


async def months(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each month of first purchases, of two years up to the period's end: `month`, `customers`, and for each window
    `rate_N` and `average_N`; none until the window is over for the last of the month, and no row until the first one is."""
    end = last_day(view)
    start = (end.replace(day=1) - 2 * YEAR).replace(day=1)
    found = await warehouse.frame(_MONTHS, view.parameters(Period(start, end)))
    is_shown = [_last_of(month) + timedelta(days=WINDOWS[0]) <= end for month in found["month"]]
    frame = found[pd.Series(is_shown, dtype=bool)].reset_index(drop=True)
    for days in WINDOWS:
        is_over = [_last_of(month) + timedelta(days=days) <= end for month in frame["month"]]
        pairs = {
            "rate": zip(frame[f"repeat_{days}"], frame["customers"], is_over, strict=True),
            "average": zip(frame[f"value_{days}"], frame["valued"], is_over, strict=True),
        }
        for name, rows in pairs.items():
            frame[f"{name}_{days}"] = [share(part, whole) if over else None for part, whole, over in rows]
    frame["note"] = ["few" if count < FEW else "" for count in frame["customers"]]
    return frame


def _last_of(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


async def second_purchases(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each number of days: the `customers` of the year for which they are over, how many had `returned` by then, the
    `rate`."""
    end = last_day(view)
    parameters = view.parameters(Period(known(view, max(STEPS)).start, end))
    frame = (await warehouse.frame(_SECOND, {**parameters, "steps": list(STEPS), "last": end})).copy()
    frame["rate"] = [share(*pair) for pair in zip(frame["returned"], frame["customers"], strict=True)]
    frame["note"] = ["few" if count < FEW else "" for count in frame["customers"]]
    return frame


async def time_to_second(warehouse: Warehouse, view: View) -> tuple[int, float | None]:
    """Of the new customers of the year up to the period's end: how many had a second purchase by then, and half of them after
    so many days or fewer."""
    found = (await warehouse.frame(_TIME_TO_SECOND, view.parameters(known(view, 0)))).iloc[0]
    return int(found["customers"]), found["days"]


async def groups(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each group that somebody is in, best first: `name`, `customers`, `share`, `purchases` and `days` on average,
    `revenue`, its `revenue_share`, and what to `do`."""
    frame = (await warehouse.frame(_GROUPS, view.parameters())).copy()
    frame["place"] = [list(GROUPS).index(name) for name in frame["name"]]
    frame = frame.sort_values("place", ignore_index=True)
    frame["share"] = [share(count, frame["customers"].sum()) for count in frame["customers"]]
    frame["revenue_share"] = [share(amount, frame["revenue"].sum()) for amount in frame["revenue"]]
    frame["do"] = [GROUPS[name] for name in frame["name"]]
    return frame


async def segments(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each of the owner's segments: `label`, `segment`, its `people`, the `buyers` among them and their `revenue`."""
    return await warehouse.frame(_SEGMENTS, view.parameters())
