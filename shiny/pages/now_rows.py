"""The last 30 minutes as rows: straight from the events of the latest hours, which the index on their hour finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from formats import is_missing
from queries import Warehouse
from view import View

MINUTES = 30
_MOMENT = timedelta(microseconds=1)

#: Until when events are known: an hour that was listed after its end is known to its end.
_WHEN = """
    with listed as (
        select least(listed_at, partition_hour + interval '1 hour') as known_to, listed_at
        from loaded_hours where listed_at is not null order by partition_hour desc limit 1
    ),
    people as (
        select clickstream_events.partition_hour, clickstream_events.event_timestamp from clickstream_events
        left join dim_user_agent on dim_user_agent.agent_key = clickstream_events.agent_key
        where not clickstream_events.is_automated and coalesce(dim_user_agent.kind, 'human') <> 'bot'
    ),
    last_hour as (select partition_hour as hour from people order by partition_hour desc limit 1),
    latest as (
        select max(event_timestamp) as at from people
        where partition_hour >= (select hour from last_hour) - interval '1 hour'
    )
    select latest.at as latest, listed.known_to, listed.listed_at, shop_settings.timezone, shop_settings.currency
    from shop_settings left join latest on true left join listed on true
"""
#: An event may be dated some minutes after it was received, by a clock that is fast: two hours of receipt before it.
_SEEN = """
    with seen as (
        select
            events.event_name, events.event_timestamp, events.visitor_id, events.page_path, events.product_id,
            events.product_name, sessions.channel, sessions.source
        from clickstream_events as events
        inner join fact_sessions as sessions
            on sessions.visitor_id = events.visitor_id
            and events.event_timestamp between sessions.started_at and sessions.ended_at
        where events.partition_hour > %(start)s::timestamptz - interval '2 hours'
            and events.event_timestamp between %(start)s and %(end)s
            and not sessions.is_bot
    ),
    bought as (
        select ordered_at, currency, revenue from fact_orders
        where local_date between (%(start)s::timestamptz at time zone %(timezone)s)::date
                and (%(end)s::timestamptz at time zone %(timezone)s)::date
            and ordered_at between %(start)s and %(end)s and not is_bot
    )
"""
_COUNTS = """
    count(distinct visitor_id) as visitors,
    count(*) filter (where event_name in ('page_view', 'view_product')) as views,
    count(*) filter (where event_name = 'add_to_cart') as carts
"""
_TOTALS = f"{_SEEN} select {_COUNTS} from seen"
_MONEY = f"{_SEEN} select currency, count(*) as orders, sum(revenue) as revenue from bought group by currency order by currency"
_BY_MINUTE = f"""
    {_SEEN},
    minutes as (select generate_series(%(start)s::timestamptz, %(end)s, interval '1 minute') as at),
    counted as (select date_trunc('minute', event_timestamp) as at, {_COUNTS} from seen group by 1),
    money as (
        select
            date_trunc('minute', ordered_at) as at, count(*) as orders,
            sum(revenue) filter (where currency = %(currency)s) as revenue
        from bought group by 1
    )
    select
        at, coalesce(visitors, 0) as visitors, coalesce(views, 0) as views, coalesce(carts, 0) as carts,
        coalesce(orders, 0) as orders, coalesce(revenue, 0) as revenue
    from minutes left join counted using (at) left join money using (at) order by at
"""
_PAGES = f"""
    {_SEEN}
    select page_path, count(*) as views, count(distinct visitor_id) as visitors
    from seen where event_name in ('page_view', 'view_product') and page_path is not null
    group by page_path order by views desc, visitors desc, page_path limit 100
"""
_PRODUCTS = f"""
    {_SEEN}
    select
        coalesce(max(product_name), product_id) as product, product_id,
        count(*) filter (where event_name = 'view_product') as views,
        count(*) filter (where event_name = 'add_to_cart') as carts, count(distinct visitor_id) as visitors
    from seen where event_name in ('view_product', 'add_to_cart') and product_id is not null
    group by product_id order by views desc, carts desc, product_id limit 100
"""
_SOURCES = f"""
    {_SEEN},
    each as (
        select distinct on (visitor_id) visitor_id, channel, source from seen order by visitor_id, event_timestamp desc, channel
    )
    select channel, source, count(*) as visitors from each
    group by channel, source order by visitors desc, channel, source limit 100
"""


@dataclass(frozen=True)
class Window:
    """Thirty minutes of the clock, the last of them as far as it goes; `end` is its last moment. `is_now` is False where
    the latest event is older than what was loaded last by more than that: then they end with it."""

    end: datetime
    loaded: datetime | None
    is_now: bool
    timezone: str
    currency: str

    @property
    def start(self) -> datetime:
        """The beginning of the first minute."""
        return self.end.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES - 1)

    @property
    def until(self) -> datetime:
        """The moment after it, as people say it: 15:00:00 and not 14:59:59."""
        return self.end + _MOMENT

    @property
    def bound(self) -> dict[str, Any]:
        """What the queries bind."""
        return {"start": self.start, "end": self.end, "timezone": self.timezone, "currency": self.currency}


async def window(warehouse: Warehouse) -> Window:
    """Up to what was loaded last, or up to the latest event of a visitor, where that is long before."""
    found = (await warehouse.frame(_WHEN)).iloc[0]
    latest, known, loaded = (
        None if is_missing(found[name]) else pd.Timestamp(found[name]).to_pydatetime().astimezone(UTC)
        for name in ("latest", "known_to", "listed_at")
    )
    end = (known - _MOMENT if known else latest) or datetime.now(UTC)
    is_now = latest is None or latest > end - timedelta(minutes=MINUTES)
    return Window(end if is_now or latest is None else latest, loaded, is_now, found["timezone"], found["currency"])


async def totals(warehouse: Warehouse) -> tuple[pd.Series[Any], pd.DataFrame]:
    """The counts of the half hour, and its orders and revenue by currency."""
    bound = (await window(warehouse)).bound
    return (await warehouse.frame(_TOTALS, bound)).iloc[0], await warehouse.frame(_MONEY, bound)


async def by_minute(warehouse: Warehouse, _: View | None = None) -> pd.DataFrame:
    """A row for each minute: `at` by the shop's clock, and `when` for people."""
    shown = await window(warehouse)
    frame = (await warehouse.frame(_BY_MINUTE, shown.bound)).copy()
    local = [pd.Timestamp(at).tz_convert(shown.timezone) for at in frame["at"]]
    frame["when"] = [f"{at:%H:%M}" for at in local]
    frame["at"] = [at.tz_localize(None) for at in local]
    return frame


async def pages(warehouse: Warehouse, _: View) -> pd.DataFrame:
    """The pages they looked at."""
    return await warehouse.frame(_PAGES, (await window(warehouse)).bound)


async def products(warehouse: Warehouse, _: View) -> pd.DataFrame:
    """The products they looked at or put into a cart."""
    return await warehouse.frame(_PRODUCTS, (await window(warehouse)).bound)


async def sources(warehouse: Warehouse, _: View) -> pd.DataFrame:
    """Where their sessions came from; each visitor once, by the session of their latest event."""
    return await warehouse.frame(_SOURCES, (await window(warehouse)).bound)
