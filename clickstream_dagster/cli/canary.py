"""`clickstream canary`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from clickstream_dagster.cli.show import console, harmless, table
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import canaries
from clickstream_dagster.warehouse.canaries import Visit
from ingest_lambda import canary
from ingest_lambda.settings import canary_url

EPILOG = """
\b
A test visit is a page view, a product, a cart, a checkout and a purchase of a shopper that does not exist. It counts in no
number: the loader sets it aside by its client_id. It is to be in the warehouse, whole, within two hours.

\b
  clickstream gateway                                                  the collector, in another window
  clickstream canary --url http://127.0.0.1:8787/clickstream           send one
  clickstream materialize                                              load it
  clickstream canary                                                   what became of it

\b
Hourly: set CLICKSTREAM_CANARY_URL where Dagster runs, and its schedule hourly_canary sends one; on AWS, `Canary: yes`.
"""


@click.command("canary", epilog=EPILOG)
@click.option("--url", help="Where to send one. Default: CLICKSTREAM_CANARY_URL; without either, none is sent.")
def canary_command(url: str | None) -> None:
    """Send a test visit through the collector, and say what became of those of the last day.

    Exits with 1 when the collector does not take it, or a visit of the last day came late or not whole.
    """
    stack = Stack(load_settings(), keeps_settings=True)
    is_taken = True
    if url := url or canary_url():
        sent = canary.send(url, stack.store)
        is_taken = sent.answer == "200"
        said = (
            "was taken. Load it:  clickstream materialize"
            if is_taken
            else f"was not taken: {harmless(sent.answer or '')}"
        )
        console.print(f"{sent.name} {said}", markup=False)
    with stack.warehouse() as connection:
        visits = canaries.look(connection, stack.store, datetime.now(UTC))
    show_visits(visits)
    sys.exit(0 if is_taken and not any(one.is_lost for one in visits) else 1)


def show_visits(visits: list[Visit]) -> None:
    """A line for each, and one about all."""
    if not visits:
        console.print("No test visit was sent in the last day. Send one:  clickstream canary --url URL")
        return
    rows = [
        (one.sent_at, f"{one.arrived} of {one.expected}", one.arrived_at or "", one.outcome, _answer(one))
        for one in visits
    ]
    table("Test visits of the last day (UTC)", ("sent", "events", "loaded", "outcome", "the collector said"), rows)
    console.print(canaries.sentence(visits))


def _answer(one: Visit) -> str:
    return harmless(one.answer or "nothing yet")
