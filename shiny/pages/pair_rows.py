"""Products together: pairs of them in one basket, and whether they meet more often than chance would have it."""

from __future__ import annotations

import pandas as pd

from formats import FEW, share
from noise import wilson
from queries import PERIOD, SEGMENT, Warehouse
from view import View

#: Pairs in fewer baskets than this are not told.
LEAST = 5
#: Of a basket the products that count, as in `fact_session_baskets`: what a basket costs grows with its square.
MOST_PRODUCTS = 30
#: The most frequent pairs, of which those that are shown are chosen.
MOST_PAIRS = 5_000
SHOWN = 200

_OF_SESSIONS = (
    f"select {{list}} as products from fact_session_baskets where {PERIOD} and {SEGMENT} and {{list}} <> '{{{{}}}}'"
)
#: A person's orders of the period, whatever their sessions and browsers.
_OF_PERSONS = f"""
    select array_agg(product_id order by product_id collate "C") as products
    from (
        select person_id, product_id, row_number() over (partition by person_id order by last_at desc, product_id) as place
        from (
            select person_id, product_id, max(ordered_at) as last_at
            from (
                select order_id, product_id from fact_order_items where {PERIOD} and {SEGMENT} and product_id is not null
            ) as items
            inner join fact_person_orders using (order_id)
            group by person_id, product_id
        ) as bought
    ) as placed
    where place <= {MOST_PRODUCTS} group by person_id
"""
BASKETS = {
    "bought": _OF_SESSIONS.format(list="bought"),
    "person": _OF_PERSONS,
    "viewed": _OF_SESSIONS.format(list="viewed"),
}
#: A product with itself is how many baskets have it. That is looked up by windows: the planner takes what is left of the groups
#: for one row, and would go through all of it for each pair if it were joined.
_PAIRS = f"""
    with baskets as materialized ({{baskets}}),
    ones as (select unnest(products) as one, generate_subscripts(products, 1) as place, products from baskets),
    met as (select one, unnest(products[place:]) as other from ones),
    counted as (select one, other, count(*) as together from met group by one, other having count(*) >= {LEAST}),
    told as (
        select
            counted.*,
            max(together) filter (where one = other) over (partition by one) as one_baskets,
            max(together) filter (where one = other) over (partition by other) as other_baskets
        from counted
    ),
    pairs as (select * from told where one <> other order by together desc, one, other limit {MOST_PAIRS})
    select
        pairs.*, (select count(*) from baskets) as baskets,
        coalesce(ones.product_name, one) as one_name, coalesce(others.product_name, other) as other_name
    from pairs
    left join dim_product as ones on ones.product_id = pairs.one
    left join dim_product as others on others.product_id = pairs.other
    order by together desc, one, other
"""
#: By lift, pairs that too little stands behind come last: the interval of five of five begins high too.
_ORDERS = {"strength": ["is_enough", "lift_low", "together"], "count": ["together", "lift_low"]}


async def pairs(warehouse: Warehouse, view: View, baskets: str, order: str) -> pd.DataFrame:
    """A row for each pair, its rarer product first: who has that one has the other one how often."""
    found = await warehouse.frame(_PAIRS.format(baskets=BASKETS[baskets]), view.parameters())
    frame = pd.DataFrame([_measured(row) for row in found.to_dict("records")], columns=COLUMNS)
    frame["is_enough"] = frame["baskets_of_product"] >= FEW
    return frame.sort_values(_ORDERS[order], ascending=False, kind="stable").head(SHOWN).reset_index(drop=True)


COLUMNS = [
    *("product", "other", "together", "baskets_of_product", "baskets_of_other", "baskets", "support"),
    *("confidence", "confidence_low", "confidence_high", "confidence_back", "lift", "lift_low", "lift_high", "word"),
    *("product_id", "other_id"),
]


def _measured(row: dict[str, object]) -> dict[str, object]:
    sides = [(row[f"{side}_baskets"], row[side], row[f"{side}_name"]) for side in ("one", "other")]
    (number, id, name), (other_number, other_id, other_name) = sorted(sides, key=lambda side: side[0])  # type: ignore[arg-type,return-value]
    together, whole = row["together"], row["baskets"]
    interval = wilson(together, number)
    low, high = (interval.low, interval.high) if interval else (0.0, 1.0)
    usual = share(other_number, whole) or 1.0
    lift = (share(together, number) or 0.0) / usual
    return {
        "product": name,
        "other": other_name,
        "together": together,
        "baskets_of_product": number,
        "baskets_of_other": other_number,
        "baskets": whole,
        "support": share(together, whole),
        "confidence": share(together, number),
        "confidence_low": low,
        "confidence_high": high,
        "confidence_back": share(together, other_number),
        "lift": lift,
        "lift_low": low / usual,
        "lift_high": high / usual,
        "word": "more than by chance" if low > usual else "less than by chance" if high < usual else "may be chance",
        "product_id": id,
        "other_id": other_id,
    }
