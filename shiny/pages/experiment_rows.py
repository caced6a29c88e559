"""Rows of the page of experiments: the variants of those that visitors were first shown in the period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from formats import is_missing
from noise import Amounts, wilson
from pages.experiment_verdict import Variant, in_order
from queries import PERIOD, SEGMENT, Warehouse, own_currency
from view import View

#: So many experiments, the newest, and so many variants of each, those with most visitors: names are the client's choice.
MOST_EXPERIMENTS = 10
MOST_VARIANTS = 10
#: A variant with less than this part of the visitors of the largest is somebody who tried it, or a forged name: with it, no split
#: were sound and no experiment ever done.
STRAY = 0.005
_VARIANTS = f"""
    with experiments as (
        select experiment, min(local_date) as first_on, max(local_date) as last_on, sum(visitors) as whole
        from agg_experiment_variants where {PERIOD} and {SEGMENT}
        group by experiment order by max(local_date) desc, sum(visitors) desc, experiment limit %(most_experiments)s
    ),
    variants as (
        select
            experiment, variant,
            coalesce(sum(visitors) filter (where not is_mixed), 0)::bigint as visitors,
            coalesce(sum(buyers) filter (where not is_mixed), 0)::bigint as buyers,
            coalesce(sum(orders) filter (where not is_mixed), 0)::bigint as orders,
            coalesce(sum(revenue - refunded) filter (where not is_mixed and currency = %(currency)s), 0) as net_revenue,
            coalesce(sum(net_revenue_squared) filter (where not is_mixed and currency = %(currency)s), 0) as squares,
            coalesce(sum(orders) filter (where not is_mixed and currency <> %(currency)s), 0)::bigint
            + coalesce(sum(other_currency_orders) filter (where not is_mixed and currency = %(currency)s), 0)::bigint
                as other_orders,
            coalesce(sum(visitors) filter (where is_mixed), 0)::bigint as mixed
        from agg_experiment_variants where {PERIOD} and {SEGMENT}
            and experiment = any(array(select experiment from experiments))
        group by experiment, variant
    ),
    numbered as (
        select
            variants.*, row_number() over (partition by experiment order by visitors desc, variant) as number,
            count(*) over (partition by experiment) as variants,
            sum(mixed) over (partition by experiment)::bigint as all_mixed
        from variants
    )
    select numbered.*, experiments.first_on, experiments.last_on, experiments.whole::bigint as whole
    from experiments inner join numbered using (experiment)
    where numbered.number <= %(most_variants)s
    order by experiments.last_on desc, experiments.whole desc, experiment, number
"""
_LAST = "select max(local_date) as last_on from agg_experiment_variants"


@dataclass(frozen=True)
class Experiment:
    """An experiment with its variants, the control first."""

    name: str
    variants: tuple[Variant, ...]
    first_on: date
    last_on: date
    #: Visitors who were shown several variants, and are in none of these.
    mixed: int
    #: Variants with fewer visitors than these, which are not told.
    more: int
    other_orders: int

    @property
    def days(self) -> int:
        """From the first exposure to the last, both days among them."""
        return (self.last_on - self.first_on).days + 1


async def last_on(warehouse: Warehouse) -> date | None:
    """When anybody was first shown a variant for the last time, in all of history."""
    found = (await warehouse.frame(_LAST))["last_on"].iat[0]
    return None if is_missing(found) else found


async def _rows(warehouse: Warehouse, view: View) -> pd.DataFrame:
    bounds = {"most_experiments": MOST_EXPERIMENTS, "most_variants": MOST_VARIANTS}
    return await warehouse.frame(_VARIANTS, {**view.parameters(), **bounds, "currency": await own_currency(warehouse)})


async def experiments(warehouse: Warehouse, view: View) -> list[Experiment]:
    """The experiments of the period, the newest first. A variant that only mixed visitors saw first is none."""
    found = await _rows(warehouse, view)
    return [_experiment(str(name), rows) for name, rows in found.groupby("experiment", sort=False)]


def _experiment(name: str, rows: pd.DataFrame) -> Experiment:
    variants = [
        Variant(
            row.variant,
            int(row.visitors),
            int(row.buyers),
            int(row.orders),
            Amounts(int(row.visitors), float(row.net_revenue), float(row.squares)),
        )
        for row in rows.itertuples()
        if row.visitors
    ]
    largest = max((one.visitors for one in variants), default=0)
    kept = [one for one in variants if one.visitors >= STRAY * largest]
    first = rows.iloc[0]
    more = int(first["variants"]) - len(rows) + len(variants) - len(kept)
    mixed, other = int(first["all_mixed"]), int(rows["other_orders"].sum())
    return Experiment(name, tuple(in_order(kept)), first["first_on"], first["last_on"], mixed, more, other)


async def table(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each experiment and variant, with the interval of its conversion."""
    frame = (await _rows(warehouse, view)).copy()
    found = [wilson(*pair) for pair in zip(frame["buyers"], frame["visitors"], strict=True)]
    frame["conversion"] = [one and one.value for one in found]
    frame["low"], frame["high"] = [one and one.low for one in found], [one and one.high for one in found]
    frame["per_visitor"] = [
        float(net) / n if n else None for net, n in zip(frame["net_revenue"], frame["visitors"], strict=True)
    ]
    return frame
