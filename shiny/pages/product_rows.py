"""What the product page asks for. Products without a chosen segment have a smaller table of their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from formats import share
from noise import counts_differ, sums_differ
from periods import Period
from queries import IN_OTHER_CURRENCIES, PERIOD, SEGMENT, Warehouse
from view import View

#: Whole periods and segments of them read different tables with the same columns.
_WHOLE = "(%(bots)s or not is_bot)"
_OWN = "currency = (select currency from shop_settings)"
_COUNTS = """sum(views)::bigint as views, sum(viewed_sessions)::bigint as viewed_sessions,
    sum(added_sessions)::bigint as added_sessions, sum(added_unviewed_sessions)::bigint as added_unviewed_sessions,
    sum(shown_sessions)::bigint as shown_sessions, sum(clicked_sessions)::bigint as clicked_sessions,
    sum(units)::bigint as units"""
_NAMES = "coalesce(product_name, product_id) as name, coalesce(product_category, '(none)') as category"

#: A row for each day, and one for each currency, so that the table is read once.
_DAYS = f"""
    with daily as (
        select local_date, currency, {_COUNTS}, sum(revenue) as revenue, sum(refunded) as refunded
        from {{table}} where {PERIOD} and {{where}} group by local_date, currency
    )
    select
        local_date, currency, {_COUNTS},
        coalesce(sum(revenue) filter (where {_OWN}), 0) as revenue,
        coalesce(sum(refunded) filter (where {_OWN}), 0) as refunded,
        coalesce(sum(revenue) filter (where not ({_OWN})), 0) as other_revenue
    from daily group by grouping sets ((local_date), (currency)) order by local_date, currency
"""
#: Carts are counted whole, whatever currency they are in.
_CARTS = f"""
    select sum(carts)::bigint as carts, sum(carts - abandoned_carts)::bigint as bought_carts
    from agg_daily_cart_products where {PERIOD} and {SEGMENT} {{product}}
"""
_PRODUCTS = f"""
    with by_currency as (
        select
            product_id, currency, {_OWN} as is_own, {_COUNTS}, sum(orders) as orders,
            sum(revenue) as revenue, sum(refunded) as refunded
        from {{table}} where {PERIOD} and {{where}} group by product_id, currency
    ),
    chosen as (
        select
            product_id, {_COUNTS}, sum(orders)::bigint as orders,
            coalesce(sum(revenue) filter (where is_own), 0) as revenue,
            coalesce(sum(refunded) filter (where is_own), 0) as refunded,
            {IN_OTHER_CURRENCIES} as others
        from by_currency group by product_id
    ),
    carts as (
        select product_id, sum(carts)::bigint as carts, sum(carts - abandoned_carts)::bigint as bought_carts
        from agg_daily_cart_products where {PERIOD} and {SEGMENT} group by product_id
    )
    select chosen.*, carts, bought_carts, {_NAMES}
    from (select * from chosen order by {{order}}, product_id limit 200) as chosen
    left join carts using (product_id)
    left join dim_product using (product_id) order by {{order}}, product_id
"""
#: Of amounts, those in the shop's currency: two currencies have no order.
_ORDERS = {
    "revenue": "chosen.revenue desc, others is null, chosen.views desc",
    "views": "chosen.views desc",
    "adds": "chosen.added_sessions desc",
    "units": "chosen.units desc",
}
_FIELDS = f"""
    with chosen as (
        select product_id, {_COUNTS}, sum(orders)::bigint as orders from {{table}}
        where {PERIOD} and {{where}} group by product_id having sum(viewed_sessions) > 0
        order by sum(views) desc, product_id limit 100
    )
    select chosen.*, {_NAMES} from chosen left join dim_product using (product_id) order by views desc, product_id
"""
_GROUPS = f"""
    with products as (
        select
            product_id, currency, {_OWN} as is_own, {_COUNTS}, sum(revenue) as revenue, sum(refunded) as refunded
        from {{table}} where {PERIOD} and {{where}} group by product_id, currency
    )
    select
        coalesce({{group}}, '(none)') as value, products.currency, is_own, {_COUNTS},
        count(*) as products, sum(revenue) as revenue, sum(refunded) as refunded
    from products left join dim_product using (product_id)
    group by value, products.currency, is_own
    order by is_own desc, sum(revenue) desc, sum(views) desc, value, currency limit 200
"""
GROUPS = {"category": "product_category", "brand": "product_brand"}
_BEFORE = "local_date between %(before_start)s and %(before_end)s"
_MOVERS = f"""
    with compared as (
        select
            product_id,
            coalesce(sum(views) filter (where {PERIOD}), 0)::bigint as views,
            coalesce(sum(views) filter (where {_BEFORE}), 0)::bigint as views_before,
            coalesce(sum(viewed_sessions) filter (where {PERIOD}), 0)::bigint as viewed_sessions,
            coalesce(sum(viewed_sessions) filter (where {_BEFORE}), 0)::bigint as viewed_sessions_before,
            coalesce(sum(added_sessions) filter (where {PERIOD}), 0)::bigint as adds,
            coalesce(sum(added_sessions) filter (where {_BEFORE}), 0)::bigint as adds_before,
            coalesce(sum(orders) filter (where {_OWN} and {PERIOD}), 0)::bigint as orders,
            coalesce(sum(orders) filter (where {_OWN} and {_BEFORE}), 0)::bigint as orders_before,
            coalesce(sum(revenue) filter (where {_OWN} and {PERIOD}), 0) as revenue,
            coalesce(sum(revenue) filter (where {_OWN} and {_BEFORE}), 0) as revenue_before
        from {{table}} where ({PERIOD} or {_BEFORE}) and {{where}} group by product_id
    ),
    changed as (
        select
            *, views - views_before as views_change, adds - adds_before as adds_change,
            revenue - revenue_before as revenue_change
        from compared
    ),
    ranked as (
        select
            changed.*, row_number() over (order by {{by}}_change desc, product_id) as gain,
            row_number() over (order by {{by}}_change, product_id) as loss
        from changed
    )
    select ranked.*, {_NAMES} from ranked left join dim_product using (product_id)
    where (({{by}}_change > 0 and gain <= 10) or ({{by}}_change < 0 and loss <= 10))
    order by {{by}}_change desc, product_id
"""
#: What comes in heaps, and in which: what a heap holds varies, too.
_HEAPS = {"revenue": "orders", "views": "viewed_sessions"}
_NO_DAY = Period(date.max, date.min)


async def totals(
    warehouse: Warehouse, view: View, period: Period
) -> tuple[dict[str, Any], pd.DataFrame, dict[str, Any]]:
    """The numbers of a period, of each of its days, and the revenue in other currencies than the shop's; where the page is about
    a product, its numbers."""
    found = await warehouse.frame(_of(view, _DAYS), view.parameters(period))
    carts = (await warehouse.frame(_CARTS.format(product=_product(view)), view.parameters(period))).iloc[0]
    others = found[found["currency"].notna() & (found["other_revenue"] > 0)]
    days = found[found["currency"].isna()].drop(columns=["currency", "other_revenue"]).set_index("local_date")
    days = days.reindex(pd.date_range(period.start, period.end).date, fill_value=0)
    now: dict[str, Any] = {name: days[name].sum() for name in days.columns}
    now |= {name: int(value) for name, value in now.items() if name not in ("revenue", "refunded")}
    days = rates(days)
    days["refunded_share"] = _shares(days["refunded"], days["revenue"])
    now["add_rate"] = share(now["added_sessions"], now["viewed_sessions"])
    now["refunded_share"] = share(now["refunded"], now["revenue"])
    now |= {"carts": carts["carts"], "cart_rate": share(carts["bought_carts"], carts["carts"])}
    return now, days, dict(zip(others["currency"], others["other_revenue"], strict=True))


async def products(warehouse: Warehouse, view: View, order: str) -> pd.DataFrame:
    """A row for each product; money in the shop's currency, and `others` in words."""
    frame = rates(await warehouse.frame(_of(view, _PRODUCTS, order=_ORDERS[order]), view.parameters()))
    frame["cart_rate"] = _shares(frame["bought_carts"], frame["carts"])
    return frame


async def fields(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each of the most viewed products, and in which field of the medians it lies."""
    frame = rates(await warehouse.frame(_of(view, _FIELDS), view.parameters()))
    frame["conversion"] = _shares(frame["orders"], frame["viewed_sessions"])
    is_seen, is_bought = (frame[name] > frame[name].median() for name in ("views", "conversion"))
    frame["field"] = [
        f"{'Many' if seen else 'Few'} views, {'high' if bought else 'low'} conversion"
        for seen, bought in zip(is_seen, is_bought, strict=True)
    ]
    return frame


async def groups(warehouse: Warehouse, view: View, by: str) -> pd.DataFrame:
    """A row for each category (or brand) and currency; the currency with the revenue of the shop first."""
    return rates(await warehouse.frame(_of(view, _GROUPS, group=GROUPS[by]), view.parameters()))


def _may_be_chance(row: Mapping[Any, Any], by: str) -> bool:
    if by not in _HEAPS:
        return not counts_differ(row[by], row[f"{by}_before"])
    heaps = _HEAPS[by]
    return not sums_differ(row[by], row[heaps], row[f"{by}_before"], row[f"{heaps}_before"])


async def movers(warehouse: Warehouse, view: View, by: str) -> pd.DataFrame:
    """The ten biggest gains and losses, and which may be chance. Without a comparison there are none, and no day is read."""
    now, before = (view.period, view.before) if view.before else (_NO_DAY, _NO_DAY)
    parameters = {**view.parameters(now), "before_start": before.start, "before_end": before.end}
    frame = (await warehouse.frame(_of(view, _MOVERS, by=by), parameters)).copy()
    frame["is_noise"] = [_may_be_chance(row, by) for row in frame.to_dict("records")]
    frame["word"] = ["may be chance" if noise else "more than chance" for noise in frame["is_noise"]]
    return frame


def rates(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy with the click-through rate, which is none where no lists are told of, and the add-to-cart rate."""
    frame = frame.copy()
    frame["click_rate"] = _shares(frame["clicked_sessions"], frame["shown_sessions"])
    frame["add_rate"] = _shares(frame["added_sessions"], frame["viewed_sessions"])
    return frame


def _shares(parts: pd.Series[Any], wholes: pd.Series[Any]) -> list[float | None]:
    return [share(*pair) for pair in zip(parts, wholes, strict=True)]


def _of(view: View, sql: str, **constants: str) -> str:
    """The query on the table that has what the view chooses. `constants` are never a reader's text."""
    table, where = ("agg_daily_product_segments", SEGMENT) if view.is_segmented else ("agg_daily_products", _WHOLE)
    return sql.format(table=table, where=where + _product(view), **constants)


def _product(view: View) -> str:
    """The condition that it is the product that the page is about."""
    return " and product_id = %(about)s" if view.about and view.about[0] == "product" else ""
