"""Reliability: whether the data is whole and fresh, and what was left out of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from banner import FRESHNESS, FRESHNESS_SLO
from boxes import Box, Boxes
from cards import Card, Column
from formats import duration, share
from pages import books, canary, cloud, warnings
from pages.ledger import (
    BY,
    MOST_HOURS,
    by_day,
    draw_ledger,
    draw_reasons,
    ledger,
    missing,
    reasons,
    runs,
    samples,
    timezone,
    totals,
)
from queries import Warehouse
from view import View

TITLE = "Reliability"
ABOUT = (
    "Whether the data is whole and fresh, by the hour in which events were received. It is about all events: no filter but the "
    "period applies here."
)

_SHARES = {
    "late": ("Late", "late event"),
    "duplicate": ("Duplicates", "duplicates"),
    "rejected": ("Rejected", "rejected"),
    "bots": ("Bots' sessions", "bots' sessions"),
}


async def _boxes(warehouse: Warehouse, view: View) -> tuple[str, Sequence[Box]]:
    now = await totals(warehouse, view.period)
    before = await totals(warehouse, view.before) if view.before else {}
    days = await by_day(warehouse, view.period)
    whole = {"late": "loaded", "duplicate": "received", "rejected": "received"}
    lines = {name: [share(*pair) for pair in zip(days[name], days[of], strict=True)] for name, of in whole.items()}
    boxes = [
        await _freshness(warehouse),
        *await canary.boxes(warehouse),
        Box(
            "books",
            "Unaccounted",
            "books",
            now["books"],
            note="" if now["books"] is None else "see the ledger" if now["books"] else "every event is accounted for",
        ),
        Box(
            "received",
            "Events received",
            "received",
            now["received"],
            before.get("received"),
            line=list(days["received"]),
        ),
    ]
    boxes += [
        Box(
            name,
            title,
            metric,
            now[name],
            before.get(name),
            kind="percent",
            line=lines.get(name, []),
            is_less_better=True,
            of=now[whole.get(name, "sessions")],
            of_before=before.get(whole.get(name, "sessions")),
        )
        for name, (title, metric) in _SHARES.items()
    ]
    return str(view.period), [*boxes, *await cloud.boxes(warehouse, view.period, view.before)]


#: The latest hour that was listed, while it is open: it makes nothing complete, whatever of it is loaded.
_IN_PROGRESS = """
    select least(listed_at, partition_hour + interval '1 hour') as loaded_to, is_closed
    from loaded_hours where listed_at is not null order by partition_hour desc limit 1
"""


async def _freshness(warehouse: Warehouse) -> Box:
    found = await warehouse.frame(FRESHNESS)
    last = await warehouse.frame(_IN_PROGRESS)
    zone = await timezone(warehouse)
    going = (
        ""
        if last.empty or last["is_closed"].iat[0]
        else f"; in progress: to {pd.Timestamp(last['loaded_to'].iat[0]).tz_convert(zone):%-d %b %H:%M %Z}"
    )
    moment = found["complete_to"].iat[0] if len(found) else None
    age = None if pd.isna(moment) else (datetime.now(UTC) - pd.Timestamp(moment)).total_seconds()
    aim = duration(FRESHNESS_SLO.total_seconds())
    is_within = age is not None and age <= FRESHNESS_SLO.total_seconds()
    return Box(
        "freshness",
        "Freshness",
        "freshness",
        age,
        kind="duration",
        note=(f"within the aim of {aim}" if is_within else f"beyond the aim of {aim}") + going,
    )


PARTS = (
    Boxes("state", _boxes),
    Card(
        "ledger",
        "What became of the events",
        "Received = loaded + duplicate + rejected + expired, and lines of people who were erased where some came again; each "
        "counted on its own, by day or hour of receipt in the shop's time zone. By "
        f"hour: the last {MOST_HOURS} of the period. Late ones are among the loaded.",
        ledger,
        {
            "when": Column("Time", "date"),
            "received": Column("Received", "count"),
            "loaded": Column("Loaded", "count"),
            "duplicate": Column("Duplicate", "count"),
            "rejected": Column("Rejected", "count"),
            "late": Column("Late", "count"),
            "expired": Column("Expired", "count"),
            "difference": Column("Difference", "count"),
            "balance": Column("Balance"),
        },
        draw_ledger,
        (BY,),
        empty="No hour of this period is loaded. Run: clickstream materialize",
        is_filtered=False,
    ),
    *books.PARTS,
    Card(
        "reasons",
        "Why events were rejected",
        "Rejected events by reason, and their share of the rejected ones. docs/events.md says what each reason means.",
        reasons,
        {
            "code": Column("Reason", "code"),
            "events": Column("Events", "count"),
            "share": Column("Of the rejected %", "percent"),
            "of_received": Column("Of the received %", "percent"),
        },
        draw_reasons,
        width=6,
        empty="No event was rejected.",
        is_filtered=False,
    ),
    Card(
        "runs",
        "Last run of each table",
        "When a table was changed last (the shop's time), the keys that were rebuilt, the rows removed and added, and the "
        "keys that "
        "are still to be rebuilt now.",
        runs,
        {
            "model": Column("Table"),
            "finished": Column("Finished", "date"),
            "owed": Column("Owed", "count"),
            "keys": Column("Keys", "count"),
            "removed": Column("Removed", "count"),
            "added": Column("Added", "count"),
        },
        width=6,
        height="380px",
        empty="No table has been built yet. Run: clickstream materialize",
        is_filtered=False,
    ),
    Card(
        "cloud",
        "AWS health",
        "By day or hour, in the shop's time zone: the API's requests, the share it refused (4xx) and failed (5xx), its slowest "
        "hour's 95th percentile, errors and throttles of the two functions, and the most dead letters that waited. "
        f"By hour: the last {MOST_HOURS} of the period.",
        cloud.rows,
        cloud.COLUMNS,
        cloud.draw,
        (cloud.BY,),
        empty="",
        is_filtered=False,
    ),
    Card(
        "samples",
        "Rejected events",
        "The 100 latest of the period: the hour of receipt (the shop's time), the reason, what to do, and the first 200 "
        "characters of "
        "what was sent, after personal data was removed.",
        samples,
        {
            "hour": Column("Hour", "date"),
            "code": Column("Reason", "code"),
            "message": Column("What is wrong"),
            "body": Column("What was sent"),
            "body_encoding": Column("Encoding"),
        },
        empty="No event was rejected.",
        is_filtered=False,
    ),
    *warnings.CARDS,
    Card(
        "missing",
        "Hours that are missing",
        f"Hours of the period, since the first one, that should be loaded whole by now "
        f"({duration(FRESHNESS_SLO.total_seconds())} "
        "after they begin) and are not. Until the 100 latest gaps.",
        missing,
        {
            "first": Column("From", "date"),
            "until": Column("Until", "date"),
            "hours": Column("Hours", "count"),
        },
        height="220px",
        empty="None: every hour of this period that should be here is loaded whole.",
        is_filtered=False,
    ),
)
