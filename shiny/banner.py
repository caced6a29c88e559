"""What stands above everything: that there is no data yet, that it is old, or that the warehouse does not answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
from htmltools import Tag, tags
from shiny import ui

from formats import duration
from queries import Problem, Warehouse
from view import Bounds, View

#: An hour is loaded five minutes after it has ended, and is at most an hour old then; twice that is late.
FRESHNESS_SLO = timedelta(hours=2)

_BOUNDS = """
    select
        (select min(local_date) from agg_daily_traffic) as first,
        (select max(local_date) from agg_daily_traffic) as latest,
        (select (complete_to at time zone timezone)::date - 1 from data_freshness) as complete,
        (select ((events_from - interval '1 microsecond') at time zone timezone)::date + 1 from expiry) as kept_from,
        timezone, currency
    from shop_settings
"""
#: The values to filter by: of a year, so that it costs no more in the tenth.
_SEGMENTS = """
    with sized as (
        select
            channel, device_type, country, grouping(channel, device_type, country) as kind,
            row_number() over (
                partition by grouping(channel, device_type, country) order by sum(sessions) desc, channel, device_type, country
            ) as place
        from agg_daily_acquisition
        where local_date > %(latest)s::date - 365
        group by grouping sets ((channel), (device_type), (country))
    )
    select channel, device_type, country from sized where place <= 200 order by kind, place
"""
#: The owner's segments, where this login may ask for the tables of their people: a schema that it may not use is passed by in
#: silence, and everybody's numbers would stand under a segment's name.
_PEOPLE = """
    select segment, label from segments where has_schema_privilege(to_regnamespace('in_segment'), 'usage') order by place
"""
FRESHNESS = "select complete_to from data_freshness"


async def bounds(warehouse: Warehouse) -> Bounds | None:
    """What there is; None while there is nothing. Raises `Problem`."""
    found = await warehouse.frame(_BOUNDS)
    if found.empty or pd.isna(found["latest"].iat[0]):
        return None
    first, latest, complete = (found[name].iat[0] for name in ("first", "latest", "complete"))
    is_whole = pd.isna(complete) or complete >= latest or complete < first
    segments = await warehouse.frame(_SEGMENTS, {"latest": latest})
    people = await warehouse.frame(_PEOPLE)
    columns = {"channel": "channel", "device": "device_type", "country": "country"}
    return Bounds(
        first,
        latest,
        latest if is_whole else complete,
        {name: tuple(map(str, segments[column].dropna())) for name, column in columns.items()},
        found["timezone"].iat[0],
        found["currency"].iat[0],
        dict(zip(people["segment"], people["label"], strict=True)),
        None if pd.isna(kept := found["kept_from"].iat[0]) else kept,
    )


def banner_ui() -> Tag:
    """Its place."""
    return ui.output_ui("banner")


async def news(warehouse: Warehouse, now: datetime) -> Tag | None:
    """What to say above everything; None when all is well."""
    try:
        if await bounds(warehouse) is None:
            return _empty()
        fresh = await warehouse.frame(FRESHNESS)
    except Problem as problem:
        return tags.div(tags.strong(problem.title), " ", problem.advice, class_="banner bad", role="alert")
    return _stale(fresh["complete_to"].iat[0] if len(fresh) else None, now)


def forgotten(view: View, bounds: Bounds) -> Tag | None:
    """What to say above a period, or its comparison, that begins before the days of which visitors are kept."""
    begins = min(period.start for period in (view.period, view.before) if period)
    if bounds.kept_from is None or begins >= bounds.kept_from:
        return None
    return tags.div(
        tags.strong(f"Visitors before {bounds.kept_from:%d %b %Y} are no longer kept."),
        " Sums of earlier days stand as they were: visits, sales, products, pages, channels. What looks at people, their paths "
        "or single events (distinct visitors, customers, retention, segments, own funnels) tells of the days since then.",
        class_="banner",
        role="status",
    )


def _empty() -> Tag:
    return tags.div(
        tags.strong("No events yet."),
        " Send some to the collector, bring in a file, or invent a shop; then load them: ",
        *(tags.code(f"clickstream {command}") for command in ("gateway", "import FILE", "demo", "materialize")),
        class_="banner",
        role="status",
    )


def _stale(complete_to: datetime | None, now: datetime) -> Tag | None:
    if complete_to is None or pd.isna(complete_to):
        return tags.div(
            "No hour is whole yet: these numbers may still grow. An hour is closed when it has ended and is loaded by ",
            tags.code("clickstream materialize"),
            ".",
            class_="banner",
            role="status",
        )
    age = now - complete_to
    if age <= FRESHNESS_SLO:
        return None
    return tags.div(
        tags.strong(f"The numbers are {duration(age.total_seconds())} old."),
        f" Everything until {complete_to:%-d %b %Y %H:%M} UTC is loaded; "
        f"the aim is {duration(FRESHNESS_SLO.total_seconds())}. Run: ",
        tags.code("clickstream materialize"),
        " or look at Reliability.",
        class_="banner",
        role="status",
    )
