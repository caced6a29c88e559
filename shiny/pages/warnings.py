"""Events that stand although a part of them could not be kept as it was sent: how many, why, and the latest of them."""

from __future__ import annotations

import pandas as pd

from cards import Card, Column
from formats import share
from pages.ledger import HOURS, parameters, timezone, told
from queries import Warehouse
from view import View

_CODES = f"""
    with chosen as (select * from etl_ledger where {HOURS})
    select
        warnings.code, sum(warnings.events::bigint)::bigint as events,
        (select sum(loaded) from chosen)::bigint as loaded
    from chosen cross join jsonb_each_text(chosen.warnings_by_code) as warnings (code, events)
    group by warnings.code order by events desc, code limit 100
"""
_SAMPLES = f"""
    select
        clickstream_events.partition_hour, clickstream_events.event_name, warning.one ->> 'code' as code,
        warning.one ->> 'field' as field, left(clickstream_events.props::text, 200) as props, clickstream_events.event_id::text
    from (
        select * from clickstream_events where warnings is not null and {HOURS}
        order by partition_hour desc, event_id limit 100
    ) as clickstream_events
    cross join lateral jsonb_array_elements(clickstream_events.warnings) with ordinality as warning (one, place)
    order by clickstream_events.partition_hour desc, clickstream_events.event_id, warning.place limit 100
"""


async def codes(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """Accepted events by what was wrong with a part of them. An event can have several warnings."""
    frame = (await warehouse.frame(_CODES, await parameters(warehouse, view.period))).copy()
    frame["share"] = [share(*pair) for pair in zip(frame["events"], frame["loaded"], strict=True)]
    return frame


async def samples(warehouse: Warehouse, view: View) -> pd.DataFrame:
    """The warnings of the latest such events of the period."""
    frame = (await warehouse.frame(_SAMPLES, await parameters(warehouse, view.period))).copy()
    zone = await timezone(warehouse)
    frame["hour"] = [told(at, zone) for at in frame["partition_hour"]]
    return frame


CARDS = (
    Card(
        "warnings",
        "Accepted with a warning",
        "Events that count although a part of them could not be read: that part is kept in props. docs/events.md says what "
        "each warning means.",
        codes,
        {
            "code": Column("Warning", "code"),
            "events": Column("Events", "count"),
            "share": Column("Of the loaded %", "percent"),
        },
        width=6,
        empty="No event came with a warning.",
        is_filtered=False,
    ),
    Card(
        "warned",
        "Events with a warning",
        "The latest of the period: the hour of receipt (the shop's time), the field that could not be kept, and the first 200 "
        "characters of props, where it lies now.",
        samples,
        {
            "hour": Column("Hour", "date"),
            "event_name": Column("Event"),
            "code": Column("Warning", "code"),
            "field": Column("Field"),
            "props": Column("Props"),
            "event_id": Column("Event id"),
        },
        width=6,
        empty="No event came with a warning.",
        is_filtered=False,
    ),
)
