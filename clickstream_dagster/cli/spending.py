"""`clickstream spend`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import click

from clickstream_dagster.cli.show import console, table
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import spend

EPILOG = """
\b
The first line names the columns; a source and a channel may stand beside them, all others are left out:
\b
  date,campaign,cost,currency,source
  2026-11-20,black friday,120.50,EUR,google
  2026-11-21,black friday,98.00,EUR,google

The campaign is what utm_campaign says in its links, in any case. Lines of one date, campaign, source, channel and
currency add up. They take the place of what an earlier file said of the same; a cost of 0 takes it away. So a
file may be brought in again, with more days or with other amounts.

The page Attribution shows cost per order and return on spend.
"""


@click.command("spend", epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
def spend_command(files: tuple[Path, ...]) -> None:
    """Import what campaigns cost: CSV FILEs with a date, a campaign, a cost and a currency on each line."""
    read = [(path, spend.read(path)) for path in files]  # a mistake in the last one stores nothing of the first
    stack = Stack(load_settings(), keeps_settings=True)
    rows = []
    with stack.warehouse() as connection:
        for path, costs in read:
            done = spend.store(connection, costs)
            rows += _told(path, done)
    table("Costs", ("file", "from", "to", "campaigns", "cost", "currency", "replaced"), rows)
    console.print("They stand on the page Attribution:  clickstream dashboard")


def _told(path: Path, done: spend.Stored) -> list[tuple[object, ...]]:
    """A row for each currency."""
    days = [spent.spent_on for spent in done.costs]
    campaigns = len({spent.campaign for spent in done.costs})
    sums = {
        currency: sum((cost for spent, cost in done.costs.items() if spent.currency == currency), Decimal(0))
        for currency in sorted({spent.currency for spent in done.costs})
    }
    return [
        (path.name, min(days), max(days), campaigns, f"{total:,.2f}", currency, done.replaced)
        for currency, total in sums.items()
    ]
