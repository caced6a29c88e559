"""The numbers that every owner asks for first: of a period, of its days or hours, and of the day so far."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pandas as pd

from banner import FRESHNESS
from formats import is_missing, share
from pages import refund_rows
from periods import Period
from queries import PERIOD, SEGMENT, Warehouse
from view import View

METRICS = {
    "visitors": "Visitors",
    "sessions": "Sessions",
    "conversion": "Conversion",
    "orders": "Orders",
    "revenue": "Revenue",
    "order_value": "Average order",
    "net": "Net revenue",
    "refunds": "Refunds made",
}
#: Those that are amounts of money.
MONEY = ("revenue", "order_value", "net", "refunds")
#: Each by its name in the definitions.
DEFINED = {
    "visitors": "visitors of a period",
    "sessions": "session",
    "conversion": "conversion rate",
    "orders": "order",
    "revenue": "revenue",
    "order_value": "average order value",
    "net": "net revenue",
    "refunds": "refunds of a period",
}
#: What stands behind a rate or an amount: by it the overview knows what chance does.
BEHIND = {"conversion": "sessions", "revenue": "own_orders", "order_value": "own_orders", "net": "own_orders"}

#: Distinct visitors without counting distinct: each visitor's first day in the period is the one with no day of theirs before it.
_ALL_VISITORS = f"""
    select count(*) as visitors from {{days}}
    where {PERIOD} and case when %(bots)s
        then previous_on_any is null or previous_on_any < %(start)s
        else not is_bot and (previous_on is null or previous_on < %(start)s) end
"""
_SOME_VISITORS = f"""
    select count(*) as visitors from (
        select distinct {{who}} from {{sessions}}
        where ({PERIOD} or (last_local_date > local_date and last_local_date >= %(start)s and local_date < %(start)s))
            and {SEGMENT}
    ) as seen
"""
_TRAFFIC = f"""
    select coalesce(sum(sessions), 0)::bigint as sessions, coalesce(sum(sessions_with_purchase), 0)::bigint as purchases
    from {{table}} where {PERIOD} and {{where}}
"""
_MONEY = f"""
    select currency, sum(orders)::bigint as orders, sum(revenue) as revenue, sum(revenue - refunded) as net
    from agg_daily_revenue where {PERIOD} and {SEGMENT}
    group by currency order by currency
"""
_DAYS = f"""
    with days as (select generate_series(%(start)s::date, %(end)s::date, interval '1 day')::date as at),
    traffic as (
        select local_date, sum(sessions) as sessions, sum(sessions_with_purchase) as purchases
        from {{table}} where {PERIOD} and {{where}} group by local_date
    ),
    money as (
        select
            local_date, sum(orders) as orders,
            sum(orders) filter (where currency = %(currency)s) as own_orders,
            sum(revenue) filter (where currency = %(currency)s) as revenue,
            sum(revenue - refunded) filter (where currency = %(currency)s) as net
        from agg_daily_revenue where {PERIOD} and {SEGMENT} group by local_date
    ),
    seen as ({{visitors}})
    select
        days.at, coalesce(seen.visitors, 0)::bigint as visitors, coalesce(traffic.sessions, 0)::bigint as sessions,
        traffic.purchases::bigint as purchases, coalesce(money.orders, 0)::bigint as orders,
        money.own_orders::bigint as own_orders, coalesce(money.revenue, 0) as revenue, coalesce(money.net, 0) as net
    from days
    left join traffic on traffic.local_date = days.at
    left join money on money.local_date = days.at
    left join seen on seen.local_date = days.at
    order by days.at
"""
_HUMANS_SEEN = f"select local_date, {{seen}} as visitors from agg_daily_traffic where {PERIOD} and not is_bot"
#: A visitor may be both on one date.
_ALL_SEEN = f"""
    select local_date, count(*) as visitors from {{days}}
    where {PERIOD} and previous_on_any is distinct from local_date
    group by local_date
"""
_SOME_SEEN = f"""
    select local_date, count(*) as visitors from (
        select distinct day::date as local_date, {{who}}
        from (
            select local_date, last_local_date, {{who}} from {{sessions}}
            where ({PERIOD} or (last_local_date > local_date and last_local_date >= %(start)s and local_date < %(start)s))
                and {SEGMENT}
        ) as sessions
        cross join lateral generate_series(
            greatest(local_date, %(start)s::date), least(last_local_date, %(end)s::date), interval '1 day'
        ) as day
    ) as seen group by local_date
"""
#: One local day by the hour, straight from its sessions and orders: a day is small.
_HOURS = f"""
    with hours as (select generate_series(0, 23) as hour),
    traffic as (
        select
            extract(hour from started_at at time zone %(timezone)s)::integer as hour, count(distinct {{who}}) as visitors,
            count(*) as sessions, count(*) filter (where purchase_count > 0) as purchases
        from {{sessions}} where {PERIOD} and {SEGMENT} group by 1
    ),
    money as (
        select
            extract(hour from ordered_at at time zone %(timezone)s)::integer as hour, count(*) as orders,
            count(*) filter (where currency = %(currency)s) as own_orders,
            sum(revenue) filter (where currency = %(currency)s) as revenue,
            sum(revenue - refunded) filter (where currency = %(currency)s) as net
        from ({{orders}}) as orders where {PERIOD} and {SEGMENT} group by 1
    )
    select
        %(start)s::date + make_interval(hours => hours.hour) as at, coalesce(traffic.visitors, 0)::bigint as visitors,
        coalesce(traffic.sessions, 0)::bigint as sessions, traffic.purchases::bigint as purchases,
        coalesce(money.orders, 0)::bigint as orders, money.own_orders::bigint as own_orders,
        coalesce(money.revenue, 0) as revenue, coalesce(money.net, 0) as net
    from hours left join traffic using (hour) left join money using (hour) order by at
"""
_ORDERS = """
    select
        fact_orders.local_date, fact_orders.ordered_at, fact_orders.currency, fact_orders.revenue, fact_orders.refunded,
        fact_orders.is_bot,
        fact_sessions.channel, fact_sessions.device_type, fact_sessions.country
    from fact_orders inner join fact_sessions on fact_sessions.session_key = fact_orders.session_key
"""
_SHOP = "select timezone, currency, (select max(local_date) from agg_daily_traffic) as latest from shop_settings"
_SO_FAR_TRAFFIC = f"""
    select
        count(distinct {{who}}) as visitors, count(*) as sessions, count(*) filter (where purchase_count > 0) as purchases
    from {{sessions}}
    where {PERIOD} and {SEGMENT} and (started_at at time zone %(timezone)s)::time < %(until)s
"""
_SO_FAR_MONEY = f"""
    select currency, count(*) as orders, sum(revenue) as revenue from ({_ORDERS}) as orders
    where {PERIOD} and {SEGMENT} and (ordered_at at time zone %(timezone)s)::time < %(until)s
    group by currency order by currency
"""


async def totals(warehouse: Warehouse, view: View, period: Period) -> dict[str, Any]:
    """The numbers of a period, `currency`, and `others` and `net_others`: revenue in other currencies, gross and net."""
    parameters = view.parameters(period)
    visitors = (_SOME_VISITORS if view.is_segmented else _ALL_VISITORS).format(**view.counted)
    traffic = await warehouse.frame(_TRAFFIC.format(**_traffic(view)), parameters)
    money = await warehouse.frame(_MONEY, parameters)
    seen = await warehouse.frame(visitors, parameters)
    six = await _six(warehouse, seen["visitors"].iat[0], traffic, money)
    net = dict(zip(money["currency"], money["net"], strict=True))
    own = {"net": net.pop(six["currency"], 0), "net_others": net}
    return six | own | {"refunds": (await refund_rows.by_time(warehouse, view, period)).sum()}


async def latest_day(warehouse: Warehouse) -> tuple[date, str]:
    """The latest day with data, and in words how much of it is loaded."""
    shop = await _shop(warehouse)
    is_open, until = await _loaded(warehouse, shop)
    return shop["latest"], f"until {until:%H:%M}" if until else "as far as it is loaded" if is_open else "the whole day"


async def so_far(
    warehouse: Warehouse, view: View, days: tuple[date, date | None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Six numbers of the latest day, and those of another one until the same time; none of the other while it is not known
    how much of the day is loaded. Visitors here are those with a session that began in that time."""
    shop = await _shop(warehouse)
    is_open, until = await _loaded(warehouse, shop)
    found: list[dict[str, Any]] = []
    for day in days:
        if day is None or (found and is_open and not until):
            found.append({})
            continue
        parameters = {
            **view.parameters(Period(day, day)),
            "timezone": shop["timezone"],
            "until": until.time() if until else time.max,
        }
        traffic = await warehouse.frame(_SO_FAR_TRAFFIC.format(**view.counted), parameters)
        money = await warehouse.frame(_SO_FAR_MONEY, parameters)
        found.append(await _six(warehouse, traffic["visitors"].iat[0], traffic, money))
    return found[0], found[1]


async def by_time(warehouse: Warehouse, view: View, days: tuple[date, date]) -> pd.DataFrame:
    """A row for each day, or for each hour of one day: `at`, the numbers, and `is_open` while its time is not over."""
    shop = await _shop(warehouse)
    period = Period(*days)
    parameters = {**view.parameters(period), "currency": shop["currency"], "timezone": shop["timezone"]}
    if period.days == 1:
        sql = _HOURS.format(orders=_ORDERS, **view.counted)
    else:
        seen = _SOME_SEEN if view.is_segmented else _ALL_SEEN if view.bots else _HUMANS_SEEN
        sql = _DAYS.format(visitors=seen.format(**view.counted), **_traffic(view))
    frame = (await warehouse.frame(sql, parameters)).copy()
    frame["conversion"] = [share(*pair) for pair in zip(frame["purchases"], frame["sessions"], strict=True)]
    frame["order_value"] = [share(*pair) for pair in zip(frame["revenue"], frame["own_orders"], strict=True)]
    given_back = await refund_rows.by_time(warehouse, view, period)
    frame["refunds"] = [given_back.get(at, 0) for at in frame["at"]]
    is_open, until = await _loaded(warehouse, shop)
    is_today = is_open and period.end == shop["latest"]
    if is_today and period.days == 1 and until:
        frame = frame[: max(1, until.hour)]
    frame["is_open"] = [is_today and period.days > 1 and place == len(frame) - 1 for place in range(len(frame))]
    return frame


def _traffic(view: View) -> dict[str, str]:
    """Where the sessions are counted: without a segment a table of two rows for each day has them."""
    if view.is_segmented:
        return {"table": "agg_daily_acquisition", "where": SEGMENT}
    return {"table": "agg_daily_traffic", "where": "(%(bots)s or not is_bot)"}


async def _six(warehouse: Warehouse, visitors: Any, traffic: pd.DataFrame, money: pd.DataFrame) -> dict[str, Any]:
    currency = (await _shop(warehouse))["currency"]
    sessions, purchases = traffic["sessions"].iat[0], traffic["purchases"].iat[0]
    revenue = dict(zip(money["currency"], money["revenue"], strict=True))
    orders = dict(zip(money["currency"], money["orders"], strict=True))
    own = revenue.pop(currency, 0)
    return {
        "visitors": int(visitors),
        "sessions": int(sessions),
        "conversion": share(purchases, sessions),
        "orders": int(sum(orders.values())),
        "own_orders": int(orders.get(currency, 0)),
        "revenue": own,
        "order_value": share(own, orders.get(currency, 0)),
        "currency": currency,
        "others": {name: amount for name, amount in revenue.items() if amount},
    }


async def _shop(warehouse: Warehouse) -> dict[str, Any]:
    frame = await warehouse.frame(_SHOP)
    return {name: frame[name].iat[0] for name in frame.columns}


async def _loaded(warehouse: Warehouse, shop: dict[str, Any]) -> tuple[bool, datetime | None]:
    """Whether the latest day is still open, and until when it is loaded, in the shop's time. That is not known while an hour
    before it is missing."""
    frame = await warehouse.frame(FRESHNESS)
    moment = frame["complete_to"].iat[0] if len(frame) else None
    if is_missing(moment):
        return True, None
    local = pd.Timestamp(moment).tz_convert(shop["timezone"])
    if local.date() > shop["latest"]:
        return False, None
    return True, local.to_pydatetime() if local.date() == shop["latest"] else None
