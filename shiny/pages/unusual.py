"""What is out of the ordinary, in the words of the table `anomalies`, and which part of the shop it comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from htmltools import Tag, tags

from boxes import Box
from cards import explained
from formats import count, is_missing, money, share
from queries import Warehouse
from view import View

#: More of them are one trouble, and no list makes it clearer.
MOST = 5
ABOUT = (
    "The last day that is loaded whole, against the same hours of the eight weeks before; without bots, whatever the filters "
    "say. Only what chance can hardly explain is told: where a dozen or so are usual and none came, and seldom in a small shop. "
    "docs/metrics.md says how it is decided."
)
#: Of weeks that can be compared with, so many are needed, and one day for the oldest.
_FIRST_DAYS = 29

_TOLD = f"""
    select metric, event_name, device_type, browser, started_at, ended_at, value, usual, sentence, count(*) over () as told
    from anomalies order by abs(score) desc, sentence limit {MOST}
"""
_KNOWN = """
    select
        complete_to at time zone timezone as until, currency, timezone,
        (complete_to at time zone timezone)::date - (select min(local_date) from agg_daily_traffic) as days
    from data_freshness cross join shop_settings
"""
#: The hours of an anomaly and the same of the weeks before, by parts. What is usual of a part is its share of what is of all.
_PARTS = """
    with spans as (
        select
            week, (moment.started - week * interval '7 days') at time zone %(timezone)s as started_at,
            (moment.ended - week * interval '7 days') at time zone %(timezone)s as ended_at,
            moment.started::date - 7 * week as first_on, moment.ended::date - 7 * week as last_on
        from generate_series(0, 8) as week
        cross join (
            select %(started_at)s at time zone %(timezone)s as started, %(ended_at)s at time zone %(timezone)s as ended
        ) as moment
    ),
    parts as (
        select
            part.kind, part.name, coalesce(sum({measure}) filter (where week = 0), 0) as value,
            coalesce(sum({measure}) filter (where week > 0), 0) as before, bool_or({is_own}) as is_own
        from spans
        inner join {table} on local_date between first_on and last_on and hour_at >= started_at and hour_at < ended_at
        cross join lateral (values {parts}) as part (kind, name)
        where not is_bot and {where}
        group by part.kind, part.name
    )
    select
        kind, name, value,
        before * %(usual)s / (select nullif(sum(before), 0) from parts where is_own and kind = %(first)s) as usual
    from parts
"""
_SEGMENTS = "('Channel', channel), ('Device', device_type), ('Country', country)"


@dataclass(frozen=True)
class _Source:
    """Where the parts of a metric are counted."""

    table: str
    measure: str
    parts: str = _SEGMENTS
    where: str = "true"
    is_own: str = "true"
    first: str = "Channel"


_SOURCES = {
    "sessions": _Source("agg_hourly_traffic", "sessions"),
    "conversion": _Source("agg_hourly_orders", "orders"),
    "revenue": _Source("agg_hourly_orders", "revenue", where="currency = %(currency)s"),
    "events": _Source(
        "agg_hourly_events",
        "events",
        "('Browser', browser || ' (' || device_type || ')')",
        "(%(event_name)s::text is null or event_name = %(event_name)s)",
        "(%(browser)s::text is null or (browser = %(browser)s and device_type = %(device_type)s))",
        "Browser",
    ),
}


async def told(warehouse: Warehouse) -> pd.DataFrame:
    """The worst of what is out of the ordinary."""
    return await warehouse.frame(_TOLD)


async def parts(warehouse: Warehouse, anomaly: dict[str, Any], known: dict[str, Any]) -> pd.DataFrame:
    """Which parts of the shop explain most of an anomaly: what there was, what is usual, and the share of the difference."""
    source = _SOURCES.get(anomaly["metric"])
    if source is None:
        return pd.DataFrame(columns=["kind", "name", "value", "usual", "share"])
    given = {name: None if is_missing(value) else value for name, value in anomaly.items() if name != "sentence"}
    query = _PARTS.format(**{name: value for name, value in vars(source).items() if name != "first"})
    found = (await warehouse.frame(query, {**given, **known, "first": source.first})).copy()
    whole = float(anomaly["usual"]) - float(anomaly["value"])
    found["share"] = [
        share(float(u or 0) - float(v), whole) for u, v in zip(found["usual"], found["value"], strict=True)
    ]
    return found.dropna(subset=["share"]).sort_values("share", ascending=False, kind="stable")[:6]


async def rows(warehouse: Warehouse, _: View) -> tuple[Tag, Sequence[Box]]:
    """The sentences, each with what explains it; or that there are none."""
    anomalies = (await told(warehouse)).to_dict("records")
    [known] = (await warehouse.frame(_KNOWN)).to_dict("records")
    if not anomalies:
        return _quiet(known), ()
    explains = await asyncio.gather(*(parts(warehouse, one, known) for one in anomalies))
    more = anomalies[0]["told"] - len(anomalies)
    return tags.div(
        tags.h2("Out of the ordinary", explained("Out of the ordinary", ABOUT), class_="row-head"),
        *(_sentence(one, found, known["currency"]) for one, found in zip(anomalies, explains, strict=True)),
        tags.p(f"And {count(more)} more: clickstream status has them all.", class_="hint") if more else None,
        class_="unusual",
        role="status",
    ), ()


def _quiet(known: dict[str, Any]) -> Tag:
    if is_missing(known["until"]) or is_missing(known["days"]):
        return tags.p(
            "What is out of the ordinary is told from the fifth week on, once hours are loaded whole.", class_="usual"
        )
    until = f"{known['until']:%A %-d %B, %H:%M}"
    if known["days"] < _FIRST_DAYS:
        return tags.p("What is out of the ordinary is told from the fifth week on.", class_="usual")
    text = f"In the whole shop, nothing is out of the ordinary in the day up to {until}."
    return tags.p(text, explained("Out of the ordinary", ABOUT), class_="usual")


def _sentence(anomaly: dict[str, Any], found: pd.DataFrame, currency: str) -> Tag:
    sentence = tags.summary(f"{anomaly['sentence']}.")
    if found.empty:
        return tags.p(f"{anomaly['sentence']}.", class_="unusual-sentence")
    head = tags.tr(
        *(
            tags.th(name, class_="number" if place else None)
            for place, name in enumerate(("Where", "Then", "Usually", "Share"))
        )
    )
    shown = money if anomaly["metric"] == "revenue" else count
    lines = [
        tags.tr(
            tags.td(f"{row['kind']}: {str(row['name'])[:60]}"),
            tags.td(shown(row["value"]), class_="number"),
            tags.td(shown(row["usual"]), class_="number"),
            tags.td(f"{100 * row['share']:.0f} %", class_="number"),
        )
        for row in found.to_dict("records")
    ]
    unit = tags.caption(f"In {currency}.") if anomaly["metric"] == "revenue" else None
    return tags.details(sentence, tags.table(unit, tags.thead(head), tags.tbody(*lines)))
