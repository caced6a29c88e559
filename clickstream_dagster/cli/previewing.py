"""`clickstream materialize --dry-run`: what would change, in a table for the days and one for the tables."""

from __future__ import annotations

from datetime import datetime

from clickstream_dagster.cli.show import bar, console, table
from clickstream_dagster.partitions import key_of
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.preview import Day, Preview, preview
from clickstream_dagster.warehouse.unseen import look, look_everywhere

#: A screen of days; of more, the latest.
MOST_DAYS = 31
_COUNTS = ("visitors", "sessions", "orders")


def show_preview(stack: Stack, asked: list[datetime], everywhere: bool) -> None:
    """Say what loading these hours, or those that have unseen objects, would change; nothing is written."""

    def hours(connection: Connection) -> list[datetime]:
        if asked:
            return asked
        found = (look_everywhere if everywhere else look)(connection, stack.store, stack.settings)
        return sorted(found.unseen)

    with bar("preview", len(all_models())) as shown:
        told = preview(stack.server, stack.store, stack.settings, hours, lambda name: shown.advance(shown.task_ids[0]))
    _show_load(told)
    show_changes(told)
    console.print("Nothing was changed. To do it, run the same command without --dry-run.")


def show_changes(told: Preview) -> None:
    """The tables and days that would change."""
    _show_tables(told)
    _show_days(told)


def _show_load(told: Preview) -> None:
    loaded = told.loaded
    if not told.hours:
        console.print("Every object is loaded.")
        return
    console.print(
        f"{key_of(told.hours[0])} to {key_of(told.hours[-1])} ({len(told.hours):,} hours): would receive {loaded.received:,} = "
        f"load {loaded.loaded:,} + duplicate {loaded.duplicate:,} + reject {loaded.rejected:,}"
        f"{f' + leave out {loaded.erased:,} of people who were erased' if loaded.erased else ''}"
    )


def _show_tables(told: Preview) -> None:
    moved = [one for one in told.rebuilt if one.removed or one.added]
    if moved:
        table("Rows of tables", ("table", "remove", "add"), [(one.model, one.removed, one.added) for one in moved])


def _show_days(told: Preview) -> None:
    if not told.days:
        console.print("No day's visitors, sessions, orders or revenue would change.")
        return
    days = sorted(told.days)[-MOST_DAYS:]
    currencies = sorted({name for pair in told.days.values() for numbers in pair for name in numbers} - set(_COUNTS))
    names = (*_COUNTS, *currencies)
    title = "Numbers of days, without bots"
    if len(told.days) > len(days):
        title += f": the last {len(days)} of {len(told.days):,} that would change"
    table(
        title,
        ("day", *names),
        [(f"{day:%a %d %b %Y}", *(_change(told.days[day], name) for name in names)) for day in days],
    )


def _change(pair: tuple[Day, Day], name: str) -> str:
    """`5,583 → 5,601`; a number alone where it stays as it is."""
    was, would_be = (f"{numbers.get(name, 0):,}" for numbers in pair)
    return was if was == would_be else f"{was} → {would_be}"
