"""What the acquisition page asks for: sessions and orders by where they came from."""

from __future__ import annotations

import asyncio
from typing import Any

import pandas as pd

from formats import FEW, share
from origins import SOURCE
from periods import Period
from queries import IN_OTHER_CURRENCIES, PERIOD, SEGMENT, Warehouse
from view import View

#: The most columns of a picture over time; a longer period is told in spans of seven days.
LONGEST_IN_DAYS = 92
#: The channels that a picture tells apart; what is left is "other".
CHANNELS = 6

_OWN = "currency = (select currency from shop_settings)"
_SESSIONS = """sum(sessions)::bigint as sessions, sum(new_visitors)::bigint as new_visitors,
    sum(bounces)::bigint as bounces, sum(engaged_sessions)::bigint as engaged_sessions,
    sum(sessions_with_purchase)::bigint as purchases"""
_DAYS = f"""
    select local_date, {_SESSIONS} from agg_daily_acquisition
    where {PERIOD} and {SEGMENT} group by local_date order by local_date
"""
_OTHERS = f"""
    select currency, sum(revenue) as revenue from agg_daily_revenue
    where {PERIOD} and {SEGMENT} and not ({_OWN}) group by currency having sum(revenue) <> 0 order by currency
"""
_REVENUE = f"""
    select local_date, sum(revenue) as revenue, sum(orders)::bigint as orders from agg_daily_revenue
    where {PERIOD} and {SEGMENT} and {_OWN} group by local_date order by local_date
"""
#: An order may fall on a later date than its session, so either side may stand alone.
_ORIGINS = f"""
    with traffic as (
        select {{key}} as value, {_SESSIONS} from agg_daily_acquisition where {PERIOD} and {SEGMENT} group by value
    ),
    by_currency as (
        select
            {{key}} as value, currency, {_OWN} as is_own, sum(orders) as orders, sum(revenue) as revenue
        from agg_daily_revenue where {PERIOD} and {SEGMENT} group by value, currency
    ),
    money as (
        select
            value, sum(orders)::bigint as orders, sum(revenue) filter (where is_own) as revenue,
            {IN_OTHER_CURRENCIES} as others
        from by_currency group by value
    )
    select
        value, coalesce(sessions, 0) as sessions, coalesce(new_visitors, 0) as new_visitors,
        coalesce(bounces, 0) as bounces, coalesce(engaged_sessions, 0) as engaged_sessions,
        coalesce(purchases, 0) as purchases, coalesce(orders, 0) as orders, coalesce(revenue, 0) as revenue, others,
        (select sum(sessions) from traffic)::bigint as whole
    from traffic full join money using (value)
    {{where}}
    order by sessions desc, orders desc, value limit 100
"""
_KEYS = {
    "channel": "channel",
    "source": SOURCE,
    "medium": "medium",
    "campaign": "campaign",
    "source-medium": f"{SOURCE} || ' / ' || medium",
}
#: The channels that are read off the address of a website, whose name is then the source.
_REFERRERS = f"""
    select source as value, channel, {_SESSIONS} from agg_daily_acquisition
    where {PERIOD} and {SEGMENT} and position('.' in source) > 0
        and channel in (
            'referral', 'ai assistant', 'social', 'organic search', 'organic shopping', 'organic social', 'organic video'
        )
    group by source, channel order by sessions desc, value, channel limit 100
"""
_SPANS = "greatest(%(start)s, %(end)s::date - (%(end)s::date - local_date) / 7 * 7 - 6)"
_HOUR = "extract(hour from started_at at time zone (select timezone from shop_settings))::integer"
#: One day is told by its hours, straight from its sessions: a day is small.
_HOURS = f"""(
    select
        local_date, {_HOUR} as local_hour, channel, device_type, country, is_bot,
        1 as sessions, is_new_visitor::integer as new_visitors
    from fact_sessions where {PERIOD}
) as hours"""
_AT_HOUR = "%(start)s::date + make_interval(hours => local_hour)"
_ALL_HOURS = """
    select generate_series(0, case when %(start)s < max(local_date) then 23
        else (select max(local_hour) from agg_hourly_traffic where local_date = %(start)s) end) as local_hour
    from agg_hourly_traffic
"""
_ALL_DAYS = "select generate_series(%(start)s::date, %(end)s::date, interval '1 day')::date as local_date"
_NEW = f"""
    with spots as (select distinct {{at}} as at from ({{spots}}) as days),
    traffic as (
        select {{at}} as at, sum(sessions)::bigint as sessions, sum(new_visitors)::bigint as new_visitors
        from {{table}} where {PERIOD} and {SEGMENT} group by 1
    )
    select at, coalesce(sessions, 0) as sessions, coalesce(new_visitors, 0) as new_visitors
    from spots left join traffic using (at)
    where exists (select from traffic) order by at
"""
_CHANNELS = f"""
    with spots as (select distinct {{at}} as at from ({{spots}}) as days),
    traffic as (
        select {{at}} as at, channel, sum(sessions)::bigint as sessions
        from {{table}} where {PERIOD} and {SEGMENT} group by 1, 2
    ),
    named as (
        select channel, row_number() over (order by sum(sessions) desc, channel) as place from traffic group by channel
    ),
    short as (
        select channel, least(place, {CHANNELS + 1}) as place, case when place <= {CHANNELS} then channel else 'other' end as name
        from named
    ),
    counted as (
        select at, place, sum(sessions)::bigint as sessions from traffic inner join short using (channel) group by at, place
    )
    select at, name as channel, place, coalesce(sessions, 0) as sessions
    from spots cross join (select distinct place, name from short) as names left join counted using (at, place)
    order by at, place
"""
_LANDINGS = f"""
    select
        page_path, sum(entries)::bigint as entries, sum(entry_bounces)::bigint as bounces,
        sum(entry_purchases)::bigint as purchases
    from {{table}} where {PERIOD} and {{where}}
    group by page_path having sum(entries) >= {{least}} order by {{order}}, page_path limit 100
"""
_LANDING_ORDERS = {
    "entries": {"least": "1", "order": "entries desc"},
    "conversion": {"least": str(FEW), "order": "sum(entry_purchases)::numeric / sum(entries) desc, entries desc"},
}


async def totals(
    warehouse: Warehouse, view: View, period: Period
) -> tuple[dict[str, Any], pd.DataFrame, dict[str, Any]]:
    """The numbers of a period, of each of its days, and the revenue in other currencies than the shop's."""
    traffic, revenue, others = await asyncio.gather(
        *(warehouse.frame(sql, view.parameters(period)) for sql in (_DAYS, _REVENUE, _OTHERS))
    )
    dates = pd.date_range(period.start, period.end).date
    days = traffic.set_index("local_date").reindex(dates, fill_value=0)
    days["revenue"] = revenue.set_index("local_date")["revenue"].reindex(dates, fill_value=0)
    sums: dict[str, Any] = {name: int(days[name].sum()) for name in days.columns if name != "revenue"}
    now = {
        **sums,
        "new_share": share(sums["new_visitors"], sums["sessions"]),
        "conversion": share(sums["purchases"], sums["sessions"]),
        "revenue": days["revenue"].sum(),
        "own_orders": int(revenue["orders"].sum()),
    }
    return now, _rates(days), dict(zip(others["currency"], others["revenue"], strict=True))


async def origins(warehouse: Warehouse, view: View, by: str) -> pd.DataFrame:
    """A row for each channel, source, medium, campaign, or source with medium."""
    # Most sessions belong to no campaign: a row of them would say nothing of campaigns.
    where = "where value <> '(none)'" if by == "campaign" else ""
    frame = await warehouse.frame(_ORIGINS.format(key=_KEYS[by], where=where), view.parameters())
    return _rates(frame)


async def referrers(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each website that sessions came from."""
    return _rates(await warehouse.frame(_REFERRERS, view.parameters()))


async def new_and_returning(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each span of time."""
    frame = (await warehouse.frame(_spans(_NEW, view.period), view.parameters())).copy()
    frame["returning"] = frame["sessions"] - frame["new_visitors"]
    frame["new_share"] = _shares(frame, "new_visitors")
    return frame


async def channels_over_time(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each span of time and channel, the largest channel first."""
    return await warehouse.frame(_spans(_CHANNELS, view.period), view.parameters())


async def landings(warehouse: Warehouse, view: View, order: str = "entries") -> pd.DataFrame:
    """A row for each page that sessions began on; by conversion, that enough did."""
    chosen = _LANDING_ORDERS[order]
    if view.is_segmented:
        sql = _LANDINGS.format(table="agg_daily_page_segments", where=SEGMENT, **chosen)
    else:
        sql = _LANDINGS.format(table="agg_daily_pages", where="(%(bots)s or not is_bot)", **chosen)
    frame = (await warehouse.frame(sql, view.parameters())).copy()
    frame["bounce_rate"], frame["conversion"] = (_shares(frame, name, "entries") for name in ("bounces", "purchases"))
    return frame


def _spans(sql: str, period: Period) -> str:
    if period.days == 1:
        return sql.format(at=_AT_HOUR, spots=_ALL_HOURS, table=_HOURS)
    at = "local_date" if period.days <= LONGEST_IN_DAYS else _SPANS
    return sql.format(at=at, spots=_ALL_DAYS, table="agg_daily_acquisition")


def _rates(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy()
    names = {
        "new_share": "new_visitors",
        "bounce_rate": "bounces",
        "engaged_rate": "engaged_sessions",
        "conversion": "purchases",
    }
    for rate, part in names.items():
        frame[rate] = _shares(frame, part)
    if "whole" in frame:
        frame["share"] = [share(*pair) for pair in zip(frame["sessions"], frame["whole"], strict=True)]
    return frame


def _shares(frame: pd.DataFrame, part: str, whole: str = "sessions") -> list[float | None]:
    return [share(*pair) for pair in zip(frame[part], frame[whole], strict=True)]
