"""What became of the test visits: the notes of those that were sent, against what is loaded of them (view `canary_visits`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from obstore.store import ObjectStore
from psycopg2.extras import execute_values

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw import canaries
from clickstream_dagster.warehouse.connection import Connection, transaction

#: A visit's note is looked for, and its outcome told, for so long.
SHOWN = timedelta(hours=24)
#: A visit must have arrived by then: the aim of freshness.
DUE = timedelta(hours=2)
#: An alarm is about visits that were due so lately; it ends when those after them arrive.
ALARMING = timedelta(hours=3)


@dataclass(frozen=True)
class Visit:
    """A row of `canary_visits`."""

    name: str
    sent_at: datetime
    answer: str | None
    expected: int
    arrived: int
    arrived_at: datetime | None
    outcome: str

    @property
    def is_lost(self) -> bool:
        """Whether somebody should look."""
        return self.outcome in ("late", "missing")


def look(connection: Connection, store: ObjectStore, now: datetime) -> list[Visit]:
    """Take over the notes that are new, and say what became of the visits of the last day, oldest first."""
    since = now - SHOWN
    with transaction(connection) as cursor:
        cursor.execute("select name from canary_notes where sent_at >= %s and answer is not null", (since - HOUR,))
        answered = {name for (name,) in cursor.fetchall()}
        found = canaries.notes(store, since, answered)
        execute_values(
            cursor,
            "insert into canary_notes (name, sent_at, steps, answer) values %s on conflict (name) do update "
            "set answer = coalesce(excluded.answer, canary_notes.answer)",
            [(one.name, one.sent_at, list(one.steps), one.answer) for one in found],
        )
        cursor.execute(
            "select name, sent_at, answer, expected, arrived, arrived_at, outcome "
            "from canary_visits where sent_at >= %s order by sent_at, name",
            (since,),
        )
        return [Visit(*row) for row in cursor.fetchall()]


def lost_lately(visits: Sequence[Visit], now: datetime) -> int | None:
    """How many of those that were due in the last hours are late or missing; None where no visit is sent."""
    return sum(one.is_lost and one.sent_at + DUE >= now - ALARMING for one in visits) if visits else None


def sentence(visits: Sequence[Visit]) -> str:
    """The visits in words; nothing where none was sent."""
    if not visits:
        return ""
    counted = Counter(one.outcome for one in visits)
    due = len(visits) - counted["on its way"]
    whole = [one.arrived_at - one.sent_at for one in visits if one.outcome == "arrived" and one.arrived_at]
    said = f"Of {due:,} test visits of the last 24 hours {len(whole):,} arrived whole and in time"
    if due and len(whole) == due:
        said = f"The last {due:,} test visits arrived whole" if due > 1 else "The last test visit arrived whole"
    if not due:
        return "The first test visit is on its way."
    if whole:
        said += f", in {_span(max(whole))} at most"
    if counted["late"] or counted["missing"]:
        said += f"; {counted['late']:,} came late, {counted['missing']:,} not at all or not whole"
    return f"{said}."


def _span(taken: timedelta) -> str:
    seconds = max(1, round(taken.total_seconds()))
    if seconds < 120:
        return f"{seconds} seconds" if seconds > 1 else "a second"
    return f"{-(-seconds // 60)} minutes"
