"""What the attribution page asks for: credits of each model, and the paths that led to orders and to none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pandas as pd

import markov
from cards import Option
from formats import share
from periods import Period
from queries import PERIOD, Warehouse, own_currency
from view import View

MODELS = {
    "first": "First",
    "last": "Last click",
    "last_non_direct": "Last non-direct",
    "linear": "Linear",
    "position": "Position 40/20/40",
    "time_decay": "Time decay",
    "markov": "Markov",
}
#: The models whose credits lie in the tables. Markov's are worked out for the period that is shown.
STORED = tuple(name for name in MODELS if name != "markov")
BY = Option("attribution-by", "By", {"channel": "Channel", "source": "Source", "campaign": "Campaign"})
MODEL = Option(
    "attribution-model",
    "Model",
    {name: MODELS[name] for name in ("linear", "first", "last_non_direct", "position", "time_decay", "markov")},
)
MEASURE = Option("attribution-measure", "Of", {"revenue": "Net revenue", "orders": "Orders"})
#: Credits of an order are millionths of it.
ORDER_DECIMALS = 6

_PEOPLE = f"{PERIOD} and not is_bot"
_CREDITS = f"""
    select
        {{key}} as value, currency, currency = (select currency from shop_settings) as is_own,
        sum(touches)::bigint as touches,
        {", ".join(f"sum({name}_orders) as {name}_orders, sum({name}_revenue) as {name}_revenue" for name in STORED)}
    from agg_daily_attribution where {_PEOPLE}
    group by value, currency order by is_own desc, linear_orders desc, value, currency
"""
_TOTALS = f"""
    select
        local_date, currency = (select currency from shop_settings) as is_own, currency,
        sum(orders)::bigint as orders, sum(revenue) as revenue, sum(lost_journeys)::bigint as lost,
        sum(orders) filter (where cardinality(path) > 1)::bigint as over_channels
    from agg_daily_touch_paths where {_PEOPLE} group by local_date, currency order by local_date, currency
"""
_TOUCHES = f"select sum(touches)::bigint as touches from agg_daily_attribution where {_PEOPLE}"
_MOVES = f"""
    with journeys as (
        select path, sum(orders)::bigint as orders, sum(lost_journeys)::bigint as lost
        from agg_daily_touch_paths where {_PEOPLE} group by path
    )
    select coalesce(path[place - 1], '{markov.START}') as origin, path[place] as target, sum(orders + lost)::bigint as journeys
    from journeys cross join lateral generate_series(1, cardinality(path)) as place group by 1, 2
    union all
    select path[cardinality(path)], '{markov.ORDER}', sum(orders)::bigint from journeys group by 1
    union all
    select path[cardinality(path)], '{markov.LOST}', sum(lost)::bigint from journeys group by 1
"""
_PATHS = f"""
    select
        path, sum(orders)::bigint as orders, sum(lost_journeys)::bigint as lost,
        sum(orders + lost_journeys)::bigint as journeys,
        sum(revenue) filter (where currency = (select currency from shop_settings)) as revenue,
        sum(sum(orders)) over ()::bigint as whole
    from agg_daily_touch_paths where {_PEOPLE}
    group by path having sum(orders) > 0 order by orders desc, path limit 200
"""
#: A cost counts for the credits of its campaign, of its source and channel too where it names them, and in its currency.
_SPEND = f"""
    with spent as (
        select campaign, source, channel, currency, sum(cost) as cost from campaign_spend
        where spent_on between %(start)s and %(end)s group by 1, 2, 3, 4
    ),
    credits as (
        select
            campaign, source, channel, currency, sum({{model}}_orders) as orders, sum({{model}}_revenue) as revenue,
            sum(last_orders) as last_orders, sum(last_revenue) as last_revenue
        from agg_daily_attribution where {_PEOPLE} and campaign in (select campaign from spent) group by 1, 2, 3, 4
    )
    select
        spent.campaign, spent.source, spent.channel, spent.currency, spent.cost, coalesce(sum(credits.orders), 0) as orders,
        coalesce(sum(credits.revenue), 0) as revenue, coalesce(sum(credits.last_orders), 0) as last_orders,
        coalesce(sum(credits.last_revenue), 0) as last_revenue
    from spent
    left join credits
        on credits.campaign = spent.campaign and credits.currency = spent.currency
        and (spent.source is null or credits.source = spent.source)
        and (spent.channel is null or credits.channel = spent.channel)
    group by 1, 2, 3, 4, 5
    order by spent.currency = (select currency from shop_settings) desc, spent.currency, cost desc, 1, 2, 3 limit 200
"""


async def credits(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each channel, source or campaign and currency, with `<model>_orders` and `<model>_revenue` of each model;
    Markov's only of channels."""
    sql = _CREDITS.format(key=BY.chosen(view))
    if BY.chosen(view) != "channel":
        return (await warehouse.frame(sql, view.parameters())).copy()
    found, effects = await asyncio.gather(warehouse.frame(sql, view.parameters()), removal_effects(warehouse, view))
    return _with_markov(found, effects)


def _with_markov(frame: pd.DataFrame, effects: Mapping[str, Any]) -> pd.DataFrame:
    """What there is of each currency, shared by the removal effects; a channel on the way to other channels may have an effect
    and no touch of an order."""
    parts = []
    for (currency, is_own), rows in frame.groupby(["currency", "is_own"], sort=False):
        names = [*rows["value"], *(name for name in effects if name not in set(rows["value"]))]
        part = rows.set_index("value").reindex(names)
        part = part.assign(currency=currency, is_own=is_own).fillna({"touches": 0})
        part = part.where(part.notna(), Decimal(0))
        for measure in MEASURE.choices:
            whole = sum(rows[f"last_{measure}"], Decimal(0))
            decimals = ORDER_DECIMALS if measure == "orders" else max(2, -int(whole.normalize().as_tuple().exponent))
            given = markov.shared(whole, effects, decimals)
            part[f"markov_{measure}"] = [given.get(name, Decimal(0)) for name in names]
        parts.append(part.reset_index())
    return pd.concat(parts, ignore_index=True) if parts else frame.copy()


async def removal_effects(warehouse: Warehouse, view: View) -> Mapping[str, Any]:
    """Of each channel in the period."""
    moves = await warehouse.frame(_MOVES, view.parameters())
    return await asyncio.to_thread(
        _effects, tuple(moves.sort_values(["origin", "target"]).itertuples(index=False, name=None))
    )


_effects = lru_cache(32)(markov.removal_effects)


async def compared(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """The chosen model beside last click, the largest first."""
    frame = await credits(warehouse, view)
    model, measure = shown_model(view), MEASURE.chosen(view)
    frame["last"], frame["chosen"] = frame[f"last_{measure}"], frame[f"{model}_{measure}"]
    frame["orders"] = frame[f"{model}_orders"]
    frame["difference"] = frame["chosen"] - frame["last"]
    frame["change"] = [share(*pair) for pair in zip(frame["difference"], frame["last"], strict=True)]
    return frame.sort_values(["is_own", "chosen", "value"], ascending=[False, False, True], kind="stable").head(200)


def shown_model(view: View) -> str:
    """The model that is chosen; linear where Markov is chosen and these are not channels."""
    model = MODEL.chosen(view)
    return "linear" if model == "markov" and BY.chosen(view) != "channel" else model


async def side_by_side(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """Every model's credits of one measure, and its shares of what there is of the currency."""
    frame = await credits(warehouse, view)
    measure = MEASURE.chosen(view)
    frame["orders"] = frame["linear_orders"]
    for name in MODELS:
        frame[name] = frame.get(f"{name}_{measure}")
        wholes = frame.groupby("currency")[name].transform("sum")
        frame[f"{name}_share"] = [share(*pair) for pair in zip(frame[name], wholes, strict=True)]
    return frame.head(200)


async def paths(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """The ways to an order, the commonest first, with the journeys that went the same way and led to none."""
    frame = (await warehouse.frame(_PATHS, view.parameters())).copy()
    frame["share"] = [share(*pair) for pair in zip(frame["orders"], frame["whole"], strict=True)]
    frame["rate"] = [share(*pair) for pair in zip(frame["orders"], frame["journeys"], strict=True)]
    return frame


async def spend(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """What campaigns cost, and what the chosen model and last click credit them with. Of everybody: what was spent on the people
    of a segment nobody knows, and all of it beside their orders alone would be no return."""
    model = MODEL.chosen(view)
    sql = _SPEND.format(model=model if model in STORED else "linear")
    frame = (await warehouse.frame(sql, replace(view, segment="").parameters())).copy()
    for prefix in ("", "last_"):
        orders, revenue = frame[f"{prefix}orders"], frame[f"{prefix}revenue"]
        frame[f"{prefix}cost_per_order"] = [share(*pair) for pair in zip(frame["cost"], orders, strict=True)]
        frame[f"{prefix}return"] = [share(*pair) for pair in zip(revenue, frame["cost"], strict=True)]
    return frame


async def totals(warehouse: Warehouse, view: View, period: Period) -> dict[str, Any]:
    """Orders, net revenue and touches of a period, and its days."""
    days, touches, own = await asyncio.gather(
        warehouse.frame(_TOTALS, view.parameters(period)),
        warehouse.frame(_TOUCHES, view.parameters(period)),
        own_currency(warehouse),
    )
    orders = int(days["orders"].sum())
    mine = days[days["is_own"].astype(bool)]
    others = days[~days["is_own"].astype(bool) & (days["orders"] > 0)].groupby("currency")["revenue"].sum()
    dates = pd.date_range(period.start, period.end).date
    return {
        "orders": orders,
        "own_orders": int(mine["orders"].sum()),
        "revenue": sum(mine["revenue"], Decimal(0)),
        "others": {str(name): amount for name, amount in others.items() if amount},
        "touches": share(touches["touches"].iat[0], orders),
        "over_channels": share(days["over_channels"].sum(), orders),
        "lost": int(days["lost"].sum()),
        "currency": own,
        "days": days.groupby("local_date")["orders"].sum().reindex(dates, fill_value=0),
    }
