"""`clickstream status`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from clickstream_dagster.cli.show import console, table
from clickstream_dagster.raw import objects
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.ledger import LedgerHour, freshness, ledger
from clickstream_dagster.warehouse.load import unseen_objects


@click.command("status")
@click.option(
    "--hours",
    default=24,
    show_default=True,
    type=click.IntRange(min=0),
    help="How many hours of the ledger to show; 0 for all.",
)
def status_command(hours: int) -> None:
    """The ledger per hour, how fresh the tables are, and what is owed. Exits with 1 when the books do not balance."""
    stack = Stack(load_settings())
    with stack.warehouse() as connection:
        books = ledger(connection)
        show_ledger(books, hours)
        is_balanced = show_balance(books)
        show_freshness(connection)
        show_owed(connection, stack)
    sys.exit(0 if is_balanced else 1)


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
            ", ".join(f"{code} {count}" for code, count in sorted(row.rejected_by_code.items())),
        )
        for row in shown
    ]
    totals = [
        sum(getattr(row, name) for row in books)
        for name in ("received", "loaded", "duplicate", "rejected", "late", "difference")
    ]
    rows.append((f"all {len(books):,} hours", *totals, ""))
    header = ("hour (UTC)", "received", "loaded", "duplicate", "rejected", "late", "difference", "reasons")
    table("Ledger: received = loaded + duplicate + rejected", header, rows)


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


def show_freshness(connection: Connection) -> None:
    """How far the tables are complete."""
    complete_to = freshness(connection)
    if complete_to is None:
        console.print(
            "No closed hour is loaded yet; an hour is closed when it has ended and is materialized after that."
        )
        return
    behind = datetime.now(UTC) - complete_to
    console.print(f"Complete to {complete_to:%Y-%m-%d %H:%M} UTC, {_span(behind.total_seconds())} ago.")


def show_owed(connection: Connection, stack: Stack) -> None:
    """Objects that are not loaded, and tables that are not rebuilt."""
    unseen = unseen_objects(connection, objects.list_all(stack.store))
    with transaction(connection) as cursor:
        rebuilds = changes.owed(cursor)
    if unseen:
        hours = sorted({raw.hour for raw in unseen})
        console.print(f"Owed: {len(unseen):,} objects in {len(hours):,} hours, the oldest {hours[0]:%Y-%m-%d %H:00}.")
    for model, count in sorted(rebuilds.items()):
        console.print(f"Owed: {model}, {count:,} keys to rebuild.")
    if unseen or rebuilds:
        console.print("Pay it:  clickstream materialize")
    else:
        console.print("Nothing is owed.")


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    days, hours = divmod(minutes // 60, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min"
