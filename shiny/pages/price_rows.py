"""Price changes as visitors saw them: from, to and when, and what became of the adds to cart."""

from __future__ import annotations

import pandas as pd

from formats import share
from noise import difference
from queries import PERIOD, SEGMENT, Warehouse
from view import View

SHOWN = 200
#: A product's price on a date is the one that most of the sessions were told last; of equally many, the highest. Days of the same
#: price after each other are a run; a run after another one is a change. By windows alone: no day is joined with another.
_CHANGES = f"""
    with told as (
        select
            product_id, currency, local_date, price, count(*) as sessions, count(*) filter (where views > 0) as viewed,
            count(*) filter (where views > 0 and adds > 0) as added
        from fact_session_products where {PERIOD} and {SEGMENT} and price is not null
        group by product_id, currency, local_date, price
    ),
    days as (
        select distinct on (product_id, currency, local_date)
            product_id, currency, local_date, price, sum(viewed) over a_day as viewed, sum(added) over a_day as added,
            min(price) over a_day as lowest, max(price) over a_day as highest
        from told
        window a_day as (partition by product_id, currency, local_date)
        order by product_id, currency, local_date, sessions desc, price desc
    ),
    turned as (
        select *, price is distinct from lag(price) over (partition by product_id, currency order by local_date) as is_turn
        from days
    ),
    numbered as (
        select *, count(*) filter (where is_turn) over (partition by product_id, currency order by local_date) as run from turned
    ),
    runs as (
        select
            product_id, currency, run, min(price) as price, min(local_date) as since, max(local_date) as until,
            sum(viewed)::bigint as viewed, sum(added)::bigint as added, min(lowest) as lowest, max(highest) as highest
        from numbered group by product_id, currency, run
    ),
    changes as (
        select
            *, lag(price) over by_time as price_before, lag(until) over by_time as last_before,
            lag(viewed) over by_time as viewed_before, lag(added) over by_time as added_before
        from runs
        window by_time as (partition by product_id, currency order by run)
    ),
    latest as (
        select * from changes where price_before is not null
        order by since desc, viewed + viewed_before desc, product_id, currency limit {SHOWN}
    )
    select latest.*, coalesce(product_name, product_id) as name
    from latest left join dim_product using (product_id)
    order by since desc, viewed + viewed_before desc, product_id, currency
"""


async def changes(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each change of a product's price in the period, the latest first."""
    frame = (await warehouse.frame(_CHANGES, view.parameters())).copy()
    rows = frame.to_dict("records")
    frame["change"] = [share(row["price"] - row["price_before"], row["price_before"]) for row in rows]
    frame["add_rate"] = [share(row["added"], row["viewed"]) for row in rows]
    frame["add_rate_before"] = [share(row["added_before"], row["viewed_before"]) for row in rows]
    frame["word"] = [_word(row) for row in rows]
    return frame


def _word(row: dict[str, int]) -> str:
    """What the adds to cart did."""
    if not row["viewed"] or not row["viewed_before"]:
        return "not viewed"
    found = difference(row["added"], row["viewed"], row["added_before"], row["viewed_before"])
    return "may be chance" if found.has_zero else "adds rose" if found.value > 0 else "adds fell"
