"""Rows of the page about one product: its way into the cart and to an order, who comes to it, and what goes with it."""

from __future__ import annotations

import pandas as pd

from formats import share
from origins import SOURCE
from queries import PERIOD, SEGMENT, Warehouse
from view import View

#: Sessions with an interest in the product.
_SEEN = f"select * from fact_session_products where {PERIOD} and {SEGMENT} and product_id = %(about)s"
#: Sessions with an order of it; a session may order a day after it began.
_BUYING = """
    select distinct fact_orders.session_key from fact_order_items
    inner join fact_orders using (order_id)
    where product_id = %(about)s and fact_order_items.local_date between %(start)s and %(end)s::date + 1
"""
_STEPS = f"""
    with seen as ({_SEEN}), buying as ({_BUYING})
    select
        count(*) filter (where views > 0) as viewed, count(*) filter (where views > 0 and adds > 0) as added,
        count(*) filter (where views > 0 and adds > 0 and buying.session_key is not null) as bought
    from seen left join buying using (session_key)
"""
_ORIGINS = f"""
    with seen as ({_SEEN}), buying as ({_BUYING}),
    visits as (
        select session_key, channel, source, medium, campaign, entry_path from fact_sessions
        where {PERIOD} and session_key in (select session_key from seen)
    )
    select
        {{key}} as value, count(*) filter (where views > 0) as viewed, count(*) filter (where adds > 0) as added,
        count(buying.session_key) as bought
    from seen
    inner join visits using (session_key)
    left join buying using (session_key)
    group by 1 order by viewed desc, value limit 100
"""
KEYS = {
    "source": f"coalesce({SOURCE}, '(none)')",
    "campaign": "coalesce(campaign, '(none)')",
    "landing": "coalesce(entry_path, '(none)')",
    "channel": "visits.channel",
}
_TERMS = f"""
    with seen as ({_SEEN}), buying as ({_BUYING})
    select
        term, count(*) as viewed, count(*) filter (where adds > 0) as added, count(buying.session_key) as bought
    from seen
    inner join fact_session_searches as searches using (session_key)
    left join buying using (session_key)
    where seen.views > 0 and searches.clicked > 0 and searches.{PERIOD}
    group by term order by viewed desc, term limit 100
"""
_TOGETHER = f"""
    with baskets as (
        select bought as products from fact_session_baskets
        where {PERIOD} and {SEGMENT} and bought <> '{{}}' and bought @> array[%(about)s]
    ),
    others as (
        select other as product_id, count(*) as together from baskets cross join lateral unnest(products) as other
        where other <> %(about)s group by other
    )
    select
        product_id, coalesce(product_name, product_id) as name, together, (select count(*) from baskets) as baskets
    from others left join dim_product using (product_id)
    order by together desc, product_id limit 100
"""


async def name_of(warehouse: Warehouse, view: View) -> str:
    """The name of the product that the page is about, else its id."""
    product = view.about[1] if view.about else ""
    found = await warehouse.frame(
        "select product_name from dim_product where product_id = %(about)s and product_name is not null",
        {"about": product},
    )
    return str(found["product_name"].iat[0]) if len(found) else product


async def steps(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """How many sessions viewed it, of these put it into a cart, and of these ordered it."""
    found = (await warehouse.frame(_STEPS, _bound(view))).iloc[0]
    counts = [int(found[name]) for name in ("viewed", "added", "bought")]
    frame = pd.DataFrame({"step": ["Viewed it", "Added to cart", "Ordered it"], "reached": counts})
    frame["rate"] = [None, share(counts[1], counts[0]), share(counts[2], counts[1])]
    return frame if counts[0] else frame[:0]


async def origins(warehouse: Warehouse, view: View, by: str) -> pd.DataFrame:
    """A row for each of `KEYS`' values that sessions with an interest in it came from."""
    return _rates(await warehouse.frame(_ORIGINS.format(key=KEYS[by]), _bound(view)))


async def terms(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each term that was searched for, and something of it clicked, in a session that viewed it."""
    return _rates(await warehouse.frame(_TERMS, _bound(view)))


async def together(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each product that was ordered in one session with it, with the `share` of these baskets."""
    frame = (await warehouse.frame(_TOGETHER, _bound(view))).copy()
    frame["share"] = [share(*pair) for pair in zip(frame["together"], frame["baskets"], strict=True)]
    return frame


def _bound(view: View) -> dict[str, object]:
    return {"about": "", **view.parameters()}


def _rates(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy()
    frame["add_rate"] = [share(*pair) for pair in zip(frame["added"], frame["viewed"], strict=True)]
    frame["conversion"] = [share(*pair) for pair in zip(frame["bought"], frame["viewed"], strict=True)]
    return frame
