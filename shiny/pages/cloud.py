"""What the cloud says of its parts, hour by hour: errors, latency, and what lies in the queues of what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

import charts
from boxes import Box
from cards import Column, Option
from formats import is_missing, share
from pages.ledger import MOST_HOURS, parameters, timezone, told
from periods import Period
from queries import Warehouse
from view import View

BY = Option("cloud-by", "By", {"day": "Day", "hour": "Hour"})
COLUMNS = {
    "when": Column("Time", "date"),
    "requests": Column("Requests", "count"),
    "client_share": Column("Refused %", "percent", of="requests"),
    "server_share": Column("Failed %", "percent", of="requests"),
    "latency_p95": Column("Latency p95, ms", "count"),
    "function_errors": Column("Function errors", "count"),
    "throttles": Column("Throttled", "count"),
    "messages": Column("Dead letters", "count"),
}

_HOURLY = """
    select
        hour,
        sum(value) filter (where source = 'api' and metric = 'requests')::bigint as requests,
        sum(value) filter (where source = 'api' and metric = 'client_errors')::bigint as client_errors,
        sum(value) filter (where source = 'api' and metric = 'server_errors')::bigint as server_errors,
        max(value) filter (where source = 'api' and metric = 'latency_p95') as latency_p95,
        sum(value) filter (where source in ('ingest', 'etl') and metric = 'errors')::bigint as function_errors,
        sum(value) filter (where source in ('ingest', 'etl') and metric = 'throttles')::bigint as throttles,
        sum(value) filter (where metric = 'messages')::bigint as messages
    from operational_metrics
    where hour >= %(start)s::date::timestamp at time zone %(timezone)s
        and hour < (%(end)s::date + 1)::timestamp at time zone %(timezone)s
    group by hour
"""
_SUMS = """sum(requests)::bigint as requests, sum(client_errors)::bigint as client_errors,
    sum(server_errors)::bigint as server_errors, max(latency_p95) as latency_p95,
    sum(function_errors)::bigint as function_errors, sum(throttles)::bigint as throttles, max(messages) as messages"""
_BY_HOUR = f"""
    select * from (
        select hour as at, hourly.* from ({_HOURLY}) as hourly order by hour desc limit {MOST_HOURS}
    ) as latest order by at
"""
_BY_DAY = f"""
    select (hour at time zone %(timezone)s)::date as at, {_SUMS} from ({_HOURLY}) as hourly group by at order by at
"""
_TOTALS = f"""
    select count(*) as hours, {_SUMS}, (array_agg(messages order by hour desc))[1] as waiting from ({_HOURLY}) as hourly
"""


async def boxes(warehouse: Warehouse, period: Period, before: Period | None) -> Sequence[Box]:
    """Errors, latency and dead letters of a period; none where AWS has said nothing."""
    now = await _totals(warehouse, period)
    if not now["hours"]:
        return []
    then = await _totals(warehouse, before) if before else {}
    return [
        Box(
            "api_errors",
            "API errors",
            "API errors",
            _failed(now),
            _failed(then) if then.get("hours") else None,
            kind="percent",
            is_less_better=True,
            of=now["requests"],
            of_before=then.get("requests"),
        ),
        Box(
            "latency",
            "API latency",
            "API latency",
            now["latency_p95"],
            then.get("latency_p95"),
            unit="ms",
            is_less_better=True,
        ),
        Box(
            "dead_letters",
            "Dead letters",
            "dead letters",
            now["waiting"],
            note="see the runbook" if now["waiting"] else "none wait",
        ),
    ]


async def rows(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each day or hour that AWS has told of."""
    is_daily = BY.chosen(view) == "day"
    bound = await parameters(warehouse, view.period)
    frame = (await warehouse.frame(_BY_DAY if is_daily else _BY_HOUR, bound)).copy()
    zone = await timezone(warehouse)
    frame["when"] = [str(at) if is_daily else told(at, zone) for at in frame["at"]]
    for name, counted in (("client_share", "client_errors"), ("server_share", "server_errors")):
        frame[name] = [share(part, whole) for part, whole in zip(frame[counted], frame["requests"], strict=True)]
    return frame


def draw(frame: pd.DataFrame, _: View) -> go.Figure:
    """Refused and failed requests, and the errors of the functions."""
    named = [
        ("Refused requests", frame["client_errors"]),
        ("Failed requests", frame["server_errors"]),
        ("Function errors", frame["function_errors"]),
    ]
    return charts.stacked(list(frame["when"]), named).update_layout(bargap=0.15, xaxis_showgrid=False)


async def _totals(warehouse: Warehouse, period: Period) -> dict[str, Any]:
    found = (await warehouse.frame(_TOTALS, await parameters(warehouse, period))).iloc[0]
    return {name: None if is_missing(value) else value for name, value in found.items()}


def _failed(numbers: dict[str, Any]) -> float | None:
    return share(numbers["server_errors"], numbers["requests"])
