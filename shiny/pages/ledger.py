"""What the loader says of its hours, in the shop's time zone. Hours are those of receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go

import banner
import charts
from cards import Option
from formats import DASH, is_missing, share
from names import spelled
from periods import Period
from queries import Warehouse
from view import View

BY = Option("ledger-by", "By", {"day": "Day", "hour": "Hour"})
#: As many hours as a chart can show: a month.
MOST_HOURS = 744

#: The hours of receipt that begin in the period, as the shop counts its days.
HOURS = """partition_hour >= %(start)s::date::timestamp at time zone %(timezone)s
    and partition_hour < (%(end)s::date + 1)::timestamp at time zone %(timezone)s"""
_SUMS = """sum(received)::bigint as received, sum(loaded)::bigint as loaded, sum(duplicate)::bigint as duplicate,
    sum(rejected)::bigint as rejected, sum(late)::bigint as late, sum(expired)::bigint as expired,
    sum(abs(difference))::bigint as difference"""
_TOTALS = f"select {_SUMS} from etl_ledger where {HOURS}"
_BY_DAY = f"""
    select (partition_hour at time zone %(timezone)s)::date as at, {_SUMS}
    from etl_ledger where {HOURS} group by at order by at
"""
_BY_HOUR = f"""
    select * from (
        select partition_hour as at, received, loaded, duplicate, rejected, late, expired, difference
        from etl_ledger where {HOURS} order by partition_hour desc limit {MOST_HOURS}
    ) as latest order by at
"""
_BOTS = """
    select coalesce(sum(sessions) filter (where is_bot), 0)::bigint as bots, coalesce(sum(sessions), 0)::bigint as sessions
    from agg_daily_traffic where local_date between %(start)s and %(end)s
"""
_REASONS = f"""
    select reasons.code, sum(reasons.events::bigint)::bigint as events
    from etl_ledger cross join jsonb_each_text(rejected_by_code) as reasons (code, events)
    where {HOURS} group by reasons.code order by events desc, code limit 100
"""
_SAMPLES = f"""
    select partition_hour, code, message, left(body, 200) as body, body_encoding
    from rejected_events where {HOURS} and code <> 'canary'
    order by partition_hour desc, received_at desc, object_key, line_number limit 100
"""
_RUNS = """
    with owed as (
        select model, count(distinct key) as owed from changed_keys group by model
        union all
        select 'fact_sessions', count(distinct visitor_id) from changed_spans having count(*) > 0
    )
    select
        coalesce(model_runs.model, owed.model) as model, model_runs.finished_at, model_runs.keys, model_runs.removed,
        model_runs.added, coalesce(owed.owed, 0) as owed
    from model_runs full join owed on owed.model = model_runs.model
    order by model_runs.finished_at desc nulls first, model limit 200
"""
#: Hours from the first one ever to the last one that is due, without those that are loaded whole; neighbours are one gap.
_MISSING = """
    with due as (
        select generate_series(
            greatest(
                date_trunc('hour', %(start)s::date::timestamp at time zone %(timezone)s),
                (select min(partition_hour) from loaded_hours)
            ),
            least((%(end)s::date + 1)::timestamp at time zone %(timezone)s - interval '1 hour', %(due)s),
            interval '1 hour'
        ) as hour
    ),
    missing as (
        select due.hour, due.hour - row_number() over (order by due.hour) * interval '1 hour' as gap
        from due left join loaded_hours on loaded_hours.partition_hour = due.hour and loaded_hours.is_closed
        where loaded_hours.partition_hour is null
    )
    select min(hour) as first_hour, max(hour) + interval '1 hour' as until, count(*) as hours
    from missing group by gap order by first_hour desc limit 100
"""


async def timezone(warehouse: Warehouse) -> str:
    """The shop's."""
    bounds = await banner.bounds(warehouse)
    return bounds.timezone if bounds else "UTC"


async def parameters(warehouse: Warehouse, period: Period) -> dict[str, Any]:
    """What `HOURS` binds."""
    return {"start": period.start, "end": period.end, "timezone": await timezone(warehouse)}


def told(moment: Any, zone: str) -> str:
    """A moment in the shop's time zone, which it names: an hour that the clock shows twice a year stands for one."""
    return DASH if pd.isna(moment) else f"{pd.Timestamp(moment).tz_convert(zone):%Y-%m-%d %H:%M %Z}"


async def totals(warehouse: Warehouse, period: Period) -> dict[str, Any]:
    """The ledger's numbers of a period, and the bots' share of its sessions."""
    bound = await parameters(warehouse, period)
    found = (await warehouse.frame(_TOTALS, bound)).iloc[0]
    bots = (await warehouse.frame(_BOTS, bound)).iloc[0]
    numbers = {name: None if is_missing(value) else int(value) for name, value in found.items()}
    return {
        "received": numbers["received"] or 0,
        "books": numbers["difference"],
        "late": share(numbers["late"], numbers["loaded"]),
        "duplicate": share(numbers["duplicate"], numbers["received"]),
        "rejected": share(numbers["rejected"], numbers["received"]),
        "bots": share(bots["bots"], bots["sessions"]),
        "loaded": numbers["loaded"] or 0,
        "sessions": int(bots["sessions"]),
    }


async def by_day(warehouse: Warehouse, period: Period) -> pd.DataFrame:
    """A row for each day with an hour that was loaded."""
    return await warehouse.frame(_BY_DAY, await parameters(warehouse, period))


async def ledger(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """A row for each day or hour: `at` for the chart, `when` for people, the ledger's numbers, and `balance` in words."""
    if BY.chosen(view) == "day":
        frame = (await by_day(warehouse, view.period)).copy()
        frame["when"] = frame["at"].map(str)
    else:
        zone = await timezone(warehouse)
        frame = (await warehouse.frame(_BY_HOUR, await parameters(warehouse, view.period))).copy()
        frame["when"] = [told(at, zone) for at in frame["at"]]
        frame["at"] = [pd.Timestamp(at).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in frame["at"]]
    frame["balance"] = ["balanced" if not n else f"off by {abs(n):,}" for n in frame["difference"]]
    return frame


def draw_ledger(frame: pd.DataFrame, _: View) -> go.Figure:
    """A column for each, of what became of the events."""
    named = [(name.capitalize(), frame[name]) for name in ("loaded", "duplicate", "rejected")]
    made = charts.stacked(list(frame["at"]), named)
    return made.update_layout(bargap=0.15, xaxis_showgrid=False)


async def reasons(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """Rejected events by code, with their share of the rejected and of the received ones."""
    bound = await parameters(warehouse, view.period)
    frame = (await warehouse.frame(_REASONS, bound)).copy()
    received = (await totals(warehouse, view.period))["received"]
    whole = frame["events"].sum()
    frame["share"] = [share(part, whole) for part in frame["events"]]
    frame["of_received"] = [share(part, received) for part in frame["events"]]
    return frame


def draw_reasons(frame: pd.DataFrame, _: View) -> go.Figure:
    """A bar for each code."""
    top = frame[:12]
    texts = [f"{n:,} · {100 * part:.0f} %" for n, part in zip(top["events"], top["share"], strict=True)]
    made = charts.bars([spelled(code) for code in top["code"]], top["events"], name="Rejected events", texts=texts)
    return made.update_layout(xaxis_range=[0, 1.4 * float(top["events"].max())])  # room for two numbers after a bar


async def samples(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """The latest rejected events of the period."""
    frame = (await warehouse.frame(_SAMPLES, await parameters(warehouse, view.period))).copy()
    zone = await timezone(warehouse)
    frame["hour"] = [told(at, zone) for at in frame["partition_hour"]]
    return frame


async def runs(warehouse: Warehouse, _: View) -> pd.DataFrame:
    """Each table's last run, and the keys that it is owed now. This is about now, whatever the period."""
    frame = (await warehouse.frame(_RUNS)).copy()
    zone = await timezone(warehouse)
    frame["finished"] = [told(at, zone) for at in frame["finished_at"]]
    return frame


async def missing(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """Gaps in the loaded hours: `first`, `until`, `hours`. An hour is due when it would break the aim."""
    overdue = datetime.now(UTC) - banner.FRESHNESS_SLO
    due = overdue.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1 if overdue.minute == 0 else 0)
    bound = {**await parameters(warehouse, view.period), "due": due}
    frame = (await warehouse.frame(_MISSING, bound)).copy()
    zone = await timezone(warehouse)
    frame["first"] = [told(at, zone) for at in frame["first_hour"]]
    frame["until"] = [told(at, zone) for at in frame["until"]]
    return frame
