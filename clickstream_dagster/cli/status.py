"""`clickstream status`."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime

import click

from clickstream_dagster.cli.show import console, harmless, many, table
from clickstream_dagster.partitions import floor_hour
from clickstream_dagster.settings import Settings, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import canaries, changes
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.ledger import LedgerHour, anomalies, freshness, ledger, open_hour
from clickstream_dagster.warehouse.shop_orders import reconciliation
from clickstream_dagster.warehouse.unseen import Look, look, look_everywhere

#: As many hours, and as many of what is out of the ordinary, as leave room for the rest in 24 lines.
LATEST_HOURS = 5
MOST_ANOMALIES = 3
#: More tables than these are told by their number.
MOST_TABLES = 3
NO_EVENTS = (
    "No events yet. Send some (clickstream gateway -h), import a file (clickstream import -h), or look at an invented shop "
    "(clickstream demo)."
)


@click.command("status")
@click.option("--hours", type=click.IntRange(min=0), help="Show the whole ledger of so many hours; 0 for all.")
def status_command(hours: int | None) -> None:
    """Say how fresh the tables are, whether the books balance, and what is owed, on one screen. Exits with 1 when the books do
    not balance."""
    stack = Stack(load_settings(), keeps_settings=True)
    with stack.warehouse() as connection:
        books = ledger(connection)
        if not books:
            console.print(NO_EVENTS)
            show_owed(connection, stack)
            return
        if hours is None:
            show_latest_hours(books)
        else:
            show_ledger(books, hours)
        is_balanced = show_balance(books)
        show_freshness(connection)
        show_anomalies(connection)
        if told := canaries.sentence(canaries.look(connection, stack.store, datetime.now(UTC))):
            console.print(told)
        if told := reconciliation.sentence(reconciliation.reconciled(connection)):
            console.print(f"The shop's own orders: {told}")
        show_owed(connection, stack)
    sys.exit(0 if is_balanced else 1)


def show_latest_hours(books: list[LedgerHour]) -> None:
    """What came in the latest hours and in all, in a terminal of 80 columns."""
    names = ("received", "loaded", "duplicate", "rejected", "late")
    rows: list[tuple[object, ...]] = [
        (row.partition_hour, *(getattr(row, name) for name in names)) for row in books[-LATEST_HOURS:]
    ]
    rows.append((f"all {many(len(books), 'hour')}", *(sum(getattr(row, name) for row in books) for name in names)))
    table("The latest hours", ("hour (UTC)", *names), rows)


def show_ledger(books: list[LedgerHour], limit: int) -> None:
    """The latest hours, and the sum of all."""
    shown = books[-limit:] if limit else books
    rows: list[tuple[object, ...]] = [
        (
            row.partition_hour,
            row.received,
            row.loaded,
            row.duplicate,
            row.rejected,
            row.late,
            row.difference,
            row.warned,
            row.replayed,
            ", ".join(f"{code} {count}" for code, count in sorted(row.rejected_by_code.items())),
        )
        for row in shown
    ]
    totals = [
        sum(getattr(row, name) for row in books)
        for name in ("received", "loaded", "duplicate", "rejected", "late", "difference", "warned", "replayed")
    ]
    rows.append((f"all {many(len(books), 'hour')}", *totals, ""))
    header = (
        *("hour (UTC)", "received", "loaded", "duplicate", "rejected", "late", "difference", "warned", "replayed"),
        "reasons",
    )
    table("Ledger: received = loaded + duplicate + rejected", header, rows)
    if expired := sum(row.expired for row in books):
        console.print(f"Of what was received, {expired:,} lines have expired: they were older than the policy keeps.")
    if erased := sum(row.erased for row in books):
        console.print(
            f"Of what was received, {erased:,} lines are of people who were erased: they are not loaded, and lie in the raw "
            "store. Take them out:  clickstream erase --again"
        )


def show_balance(books: list[LedgerHour]) -> bool:
    """Say whether every hour balances."""
    wrong = [row for row in books if row.difference]
    if wrong:
        console.print(
            f"[bold red]The books do not balance[/] in {len(wrong):,} hours, first in {wrong[0].partition_hour:%Y-%m-%d %H:00}."
        )
    else:
        console.print("[bold green]The books balance[/]: nothing is lost, nothing is counted twice.")
    return not wrong


def show_anomalies(connection: Connection) -> None:
    """What is out of the ordinary in the last day."""
    found = anomalies(connection)
    if not found:
        console.print("Nothing is out of the ordinary.")
    for sentence, _ in found[:MOST_ANOMALIES]:
        console.print(f"Out of the ordinary: {harmless(sentence)}.", markup=False)
    if (more := len(found) - MOST_ANOMALIES) > 0:
        console.print(f"And {more:,} more, in the table anomalies.")


def show_freshness(connection: Connection) -> None:
    """How far the tables are complete, and how much is there of an hour that is not."""
    if going := open_hour(connection):
        console.print(f"The hour from {going[0]:%Y-%m-%d %H:%M} is in progress, loaded to {going[1]:%H:%M:%S} UTC.")
    complete_to = freshness(connection)
    if complete_to is None:
        console.print(
            "No closed hour is loaded yet; an hour is closed when it has ended and is materialized after that."
        )
        return
    behind = datetime.now(UTC) - complete_to
    console.print(f"Complete to {complete_to:%Y-%m-%d %H:%M} UTC, {_span(behind.total_seconds())} ago.")


def show_owed(connection: Connection, stack: Stack) -> None:
    """Objects that are not loaded, and tables that are not rebuilt. Looks at every object of the store."""
    usual = look(connection, stack.store, stack.settings)
    found = look_everywhere(connection, stack.store, stack.settings)
    with transaction(connection) as cursor:
        rebuilds = changes.owed(cursor)
    show_outside(found, stack.settings)
    show_strangers(found)
    if found.unseen:
        console.print(f"Not loaded yet: {_counted(found.unseen)}, the oldest {min(found.unseen):%Y-%m-%d %H:00}.")
    if len(rebuilds) > MOST_TABLES:
        console.print(f"To rebuild: {len(rebuilds):,} tables, {many(sum(rebuilds.values()), 'key')}.")
    else:
        for model, count in sorted(rebuilds.items()):
            console.print(f"To rebuild: {model}, {many(count, 'key')}.")
    if found.unseen.keys() - usual.unseen.keys():
        console.print("Catch up:  clickstream materialize --all")
    elif found.unseen or rebuilds:
        console.print("Catch up:  clickstream materialize")
    else:
        console.print("Nothing is left to load or rebuild.")


def show_outside(found: Look, settings: Settings) -> None:
    """Objects of hours that have no partition: before the first one, or in the future."""
    last = floor_hour(found.began)
    early = Counter({hour: count for hour, count in found.outside.items() if hour < settings.first_hour})
    late = Counter({hour: count for hour, count in found.outside.items() if hour > last})
    if early:
        console.print(
            f"Skipped: {_counted(early)} before the first partition, {settings.first_hour:%Y-%m-%d %H:00}, the first "
            f"in {min(early):%Y-%m-%d %H:00}. Remove them, or load them: "
            f"set CLICKSTREAM_FIRST_HOUR={min(early):%Y-%m-%dT%H:00Z}."
        )
    if late:
        console.print(
            f"Skipped: {_counted(late)} in the future, the first in {min(late):%Y-%m-%d %H:00}. "
            "Remove them, or wait: they are loaded when their hour has come."
        )


def show_strangers(found: Look) -> None:
    """Objects in no known place."""
    strangers = found.strangers
    if strangers.count:
        examples = ", ".join(harmless(key) for key in strangers.examples)
        console.print(
            f"Not in the books: {many(strangers.count, 'object')} in no known place, such as {examples}. Move events to "
            "events/YYYY/MM/DD/HH/, the hour of their receipt, and remove the rest.",
            markup=False,
        )


def _counted(hours: Counter[datetime]) -> str:
    return f"{many(hours.total(), 'object')} in {many(len(hours), 'hour')}"


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
