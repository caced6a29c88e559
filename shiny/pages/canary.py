"""Whether the test visits of the last day arrived; nothing where none is sent."""

from __future__ import annotations

from collections.abc import Sequence

from boxes import Box
from formats import count, is_missing
from queries import Warehouse

_LAST_DAY = """
    select
        count(*) filter (where outcome <> 'on its way') as due,
        count(*) filter (where outcome = 'arrived') as arrived,
        extract(epoch from max(arrived_at - sent_at) filter (where outcome = 'arrived'))::float as slowest
    from canary_visits where sent_at >= now() - interval '24 hours' having count(*) > 0
"""


async def boxes(warehouse: Warehouse) -> Sequence[Box]:
    """How long the slowest of them took, and in words whether all arrived. It is about the last 24 hours, whatever the period."""
    found = await warehouse.frame(_LAST_DAY)
    if found.empty:
        return []
    due, arrived, slowest = (found[name].iat[0] for name in ("due", "arrived", "slowest"))
    note = f"{count(due - arrived)} of the last {count(due)} came late or not whole: clickstream canary"
    if not due:
        note = "the first is on its way"
    elif arrived == due:
        note = "at most; " + (f"the last {count(due)} arrived whole" if due > 1 else "the last one arrived whole")
    return [
        Box(
            "canary", "Test visits", "test visits", None if is_missing(slowest) else slowest, kind="duration", note=note
        )
    ]
