"""Rows of the page of carts: by day, by step, by product and by segment, of days whose carts are settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from formats import besides, is_missing, share
from periods import Period
from queries import PERIOD, SEGMENT, Warehouse
from view import View

#: A cart's day is over for it 24 hours after the day's end: until then it may be bought, and is not yet abandoned.
_SETTLED = """
    select
        ((coalesce(max(partition_hour) filter (where is_closed) + interval '1 hour', max(partition_hour)) - cart_left_after)
            at time zone timezone)::date - 1 as settled,
        currency
    from loaded_hours cross join shop_settings group by cart_left_after, timezone, currency
"""
COUNTS = ("carts", "bought", "emptied", "abandoned", "abandoned_unpriced", "recovered", "bought_late")
MONEY = ("abandoned_value", "recovered_value", "recovered_revenue", "recovered_refunded")
_SUMS = ", ".join(f"sum({name}) as {name}" for name in (*COUNTS, *MONEY))
#: Carts of every currency are counted; money is the shop's own, and the others' stands beside it.
_OWN = ", ".join(
    [
        *(f"coalesce(sum({name}), 0)::bigint as {name}" for name in COUNTS),
        *(f"coalesce(sum({name}) filter (where currency = %(currency)s), 0) as {name}" for name in MONEY),
    ]
)
_DAYS = f"""
    select local_date, currency, {_SUMS} from agg_daily_carts where {PERIOD} and {SEGMENT}
    group by local_date, currency order by local_date, currency
"""
_STEPS = f"select deepest_step as step, {_OWN} from agg_daily_carts where {PERIOD} and {SEGMENT} group by deepest_step"
_GROUPS = f"""
    select {{column}} as value, {_OWN} from agg_daily_carts where {PERIOD} and {SEGMENT}
    group by {{column}} having sum(abandoned + bought) > 0 order by abandoned_value desc, abandoned desc, value limit 200
"""
_PRODUCTS = f"""
    with chosen as (
        select
            product_id, currency, currency = %(currency)s as is_own, sum(carts)::bigint as carts,
            sum(abandoned_carts)::bigint as abandoned, sum(abandoned_pieces)::bigint as pieces,
            sum(abandoned_value) as abandoned_value, sum(recovered_carts)::bigint as recovered,
            sum(recovered_value) as recovered_value
        from agg_daily_cart_products where {PERIOD} and {SEGMENT} group by product_id, currency
        having sum(abandoned_carts) > 0 order by is_own desc, {{order}}, product_id, currency limit 200
    )
    select chosen.*, coalesce(product_name, product_id) as name, coalesce(product_category, '(none)') as category
    from chosen left join dim_product using (product_id) order by is_own desc, {{order}}, product_id, chosen.currency
"""
_PRODUCT_ORDERS = {
    "value": "abandoned_value desc, abandoned desc",
    "carts": "abandoned desc, abandoned_value desc",
}
_RETURNS = f"""
    select
        least(ceil(extract(epoch from recovered_at - left_at) / 86400), 7)::integer as day, count(*) as carts,
        coalesce(sum(revenue) filter (where order_currency = %(currency)s), 0) as revenue
    from fact_carts where {PERIOD} and {SEGMENT} and recovered_at is not null group by day order by day
"""
_MEDIAN = f"""
    select percentile_cont(0.5) within group (order by extract(epoch from recovered_at - left_at)) as seconds
    from fact_carts where {PERIOD} and {SEGMENT} and recovered_at is not null
"""
_ORDERS = f"""
    select
        count(*) as orders,
        count(*) filter (where not exists (select from fact_carts where fact_carts.order_id = fact_orders.order_id)) as without
    from fact_orders where {PERIOD} and {SEGMENT}
"""
#: What is neither bought, emptied nor abandoned has its end ahead, which an index finds.
_OPEN = f"""
    select
        state, count(*) as carts, coalesce(sum(value) filter (where currency = %(currency)s), 0) as value
    from carts where abandoned_at > as_of and state in ('open', 'idle') and {SEGMENT} group by state
"""
STEPS = {
    "add_to_cart": "Added to the cart",
    "view_cart": "Looked at the cart",
    "checkout": "Began the checkout",
    "add_shipping_info": "Gave the address",
    "add_payment_info": "Gave the payment",
}
DAYS = {2: "2nd day", 3: "3rd day", 4: "4th day", 5: "5th day", 6: "6th day", 7: "7th day"}


@dataclass(frozen=True)
class Span:
    """The part of a view's days whose carts are settled, and of its comparison as much; none when no day is."""

    now: Period | None
    before: Period | None
    settled: date
    currency: str

    @property
    def is_final(self) -> bool:
        """Whether nothing of it can come back any more: seven days have passed."""
        return self.now is not None and self.now.end + timedelta(days=6) <= self.settled


async def span(warehouse: Warehouse, view: View) -> Span:
    """What of the view's period can be told."""
    found = await warehouse.frame(_SETTLED)
    settled = date.min if found.empty or is_missing(found["settled"].iat[0]) else found["settled"].iat[0]
    currency = "" if found.empty else str(found["currency"].iat[0])
    open_days = max(0, (view.period.end - settled).days) if settled > date.min else view.period.days
    if open_days >= view.period.days:
        return Span(None, None, settled, currency)
    before = view.other and replace(view.other, end=view.other.end - timedelta(days=open_days))
    return Span(replace(view.period, end=view.period.end - timedelta(days=open_days)), before, settled, currency)


async def _rows(warehouse: Warehouse, view: View, sql: str, period: Period | None = None) -> pd.DataFrame:
    """The rows of a query over the settled days: an empty period where there are none."""
    found = await span(warehouse, view)
    period = period or found.now or Period(date.max, date.min)
    return (await warehouse.frame(sql, {**view.parameters(period), "currency": found.currency})).copy()


def rates(frame: pd.DataFrame) -> pd.DataFrame:
    """With the rate of abandonment and of recovery."""
    frame["decided"] = frame["abandoned"] + frame["bought"]
    frame["abandoned_rate"] = [share(*pair) for pair in zip(frame["abandoned"], frame["decided"], strict=True)]
    frame["recovered_rate"] = [share(*pair) for pair in zip(frame["recovered"], frame["abandoned"], strict=True)]
    return frame


async def by_day(warehouse: Warehouse, view: View, period: Period | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A row for each settled day; and what was left in other currencies than the shop's, by currency."""
    if period is None:
        return rates(pd.DataFrame(columns=["at", *COUNTS, *MONEY])), {}
    currency = (await span(warehouse, view)).currency
    found = await _rows(warehouse, view, _DAYS, period)
    counts = found.groupby("local_date")[list(COUNTS)].sum()
    own = found[found["currency"] == currency].set_index("local_date")[list(MONEY)]
    days = pd.concat([counts, own], axis=1).reindex(pd.date_range(period.start, period.end).date)
    others = found[(found["currency"] != currency) & (found["abandoned_value"] > 0)]
    frame = days.astype(object).where(days.notna(), 0).rename_axis("at").reset_index()
    return rates(frame), dict(others.groupby("currency")["abandoned_value"].sum())


async def totals(warehouse: Warehouse, view: View, period: Period | None) -> dict[str, Any]:
    """The numbers of a period's settled days. Empty when there are none."""
    days, others = await by_day(warehouse, view, period)
    if days.empty:
        return {}
    now: dict[str, Any] = {name: days[name].sum() for name in (*COUNTS, *MONEY)}
    median = await _rows(warehouse, view, _MEDIAN, period)
    orders = (await _rows(warehouse, view, _ORDERS, period)).iloc[0]
    return {
        **now,
        "decided": now["abandoned"] + now["bought"],
        "abandoned_rate": share(now["abandoned"], now["abandoned"] + now["bought"]),
        "recovered_rate": share(now["recovered"], now["abandoned"]),
        "median": None if is_missing(median["seconds"].iat[0]) else float(median["seconds"].iat[0]),
        "orders": int(orders["orders"]),
        "without": int(orders["without"]),
        "without_rate": share(orders["without"], orders["orders"]),
        "others": besides(others.items()),
    }


async def open_carts(warehouse: Warehouse, view: View) -> dict[str, tuple[int, Any]]:
    """Of `open` and `idle` how many carts there are, and their value, whatever the period."""
    found = await _rows(warehouse, view, _OPEN)
    seen = {row.state: (int(row.carts), row.value) for row in found.itertuples()}
    return {state: seen.get(state, (0, 0)) for state in ("open", "idle")}


async def daily(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each settled day, with what did not come back. Empty where nobody had a cart."""
    frame, _ = await by_day(warehouse, view, (await span(warehouse, view)).now)
    frame["lost_value"] = frame["abandoned_value"] - frame["recovered_value"]
    return frame if frame["carts"].sum() else frame[:0]


async def steps(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each step that a cart was left at, or bought after, in their order: how many came there, and stayed there."""
    found = rates(await _rows(warehouse, view, _STEPS)).set_index("step")
    frame = found.reindex([name for name in STEPS if name in found.index]).reset_index()
    frame["name"] = frame["step"].map(STEPS)
    frame["reached"] = frame["decided"][::-1].cumsum()[::-1]
    frame["stopped_rate"] = [share(*pair) for pair in zip(frame["abandoned"], frame["reached"], strict=True)]
    whole = frame["abandoned"].sum()
    frame["part"] = [share(n, whole) for n in frame["abandoned"]]
    return frame if whole else frame[:0]


async def products(warehouse: Warehouse, view: View, order: str) -> pd.DataFrame:
    """A row for each product and currency that was left behind; the shop's currency first."""
    frame = await _rows(warehouse, view, _PRODUCTS.format(order=_PRODUCT_ORDERS[order]))
    frame["left_rate"] = [share(*pair) for pair in zip(frame["abandoned"], frame["carts"], strict=True)]
    frame["recovered_rate"] = [share(*pair) for pair in zip(frame["recovered"], frame["abandoned"], strict=True)]
    return frame


async def returns(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each day after the one that a cart was left on: how many came back on it, and by then."""
    found = (await _rows(warehouse, view, _RETURNS)).set_index("day")
    if found.empty:
        return pd.DataFrame(columns=["day", "carts", "part", "revenue", "so_far"])
    frame = found.reindex(list(DAYS)).fillna(0).reset_index()
    frame["carts"] = frame["carts"].astype(int)
    frame["part"] = frame["carts"] / frame["carts"].sum()
    frame["so_far"] = frame["part"].cumsum()
    frame["day"] = frame["day"].map(DAYS)
    return frame


async def groups(warehouse: Warehouse, view: View, column: str) -> pd.DataFrame:
    """A row for each channel, device or country."""
    return rates(await _rows(warehouse, view, _GROUPS.format(column=column)))
