"""`clickstream rebuild-from-raw`."""

from __future__ import annotations

import click

from clickstream_dagster.cli.importing import extend_range
from clickstream_dagster.cli.show import bar, console
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import from_raw
from clickstream_dagster.warehouse.connection import Connection

EPILOG = """
\b
Every event, session and sum comes out as it was. Not in the bucket, and so not in a new database:
  what campaigns cost       clickstream spend brings it in again
  the shop's own orders     clickstream shop-orders reads them again
  machine_health            the machine's own hours; they are in its backup
  Dagster's list of runs    the tables do not need it
Funnels and segments come of their files, as always.

\b
Beside the warehouse that stands, into a database that somebody has made (createdb drill), or on a laptop into another home:
  DW_PG_DATABASE=drill clickstream rebuild-from-raw
  CLICKSTREAM_HOME=drill RAW_BUCKET_NAME=file://$PWD/.clickstream/raw clickstream rebuild-from-raw
In its place; dashboards show what is loaded so far:
  clickstream rebuild-from-raw --replace

Cut off, it is finished by clickstream materialize --all. A drill: docs/runbook.md.
"""


class HoldsEvents(RuntimeError):
    """The warehouse is not empty; the message says what would be lost, and what to do."""


@click.command("rebuild-from-raw", epilog=EPILOG)
@click.option("--replace", "is_replaced", is_flag=True, help="Empty a warehouse that holds events, and build it anew.")
def rebuild_from_raw_command(is_replaced: bool) -> None:
    """Rebuild the whole warehouse from the raw bucket, into an empty database."""
    settings = load_settings()
    stack = Stack(settings)
    with stack.warehouse() as connection:
        found = from_raw.standing(connection, stack.store)
        if found and not is_replaced:
            raise HoldsEvents(_refusal(found))
        if found:
            console.print(f"Emptying it first: {_loss(found)}")
            from_raw.empty(connection)
        built = _build(connection, stack)
    if built.first_hour is None:
        console.print("The raw store is empty: there is nothing to build from.")
        return
    extend_range(settings, built.first_hour)
    done = built.loaded
    console.print(
        f"Built from {done.objects:,} objects: received {done.received:,} = loaded {done.loaded:,} + "
        f"duplicate {done.duplicate:,} + rejected {done.rejected:,}"
        f"{f' + erased {done.erased:,}' if done.erased else ''}. Compare:  clickstream status"
    )


def _build(connection: Connection, stack: Stack) -> from_raw.Built:
    with bar("objects", is_long=True) as shown:
        [task] = shown.task_ids

        def follow(step: str, done: int, total: int) -> None:
            what = "objects loaded" if step == "objects" else f"tables: {step}"
            shown.update(task, description=what, completed=done, total=total)

        return from_raw.build(connection, stack.store, stack.settings, follow)


def _refusal(found: from_raw.Standing) -> str:
    return (
        f"This warehouse holds {found.events:,} events. Name an empty database with DW_PG_DATABASE (or another "
        f"CLICKSTREAM_HOME), or put a new one in its place with --replace: {_loss(found)} A rebuild that was cut off is "
        "finished by clickstream materialize --all."
    )


def _loss(found: from_raw.Standing) -> str:
    if not found.lost_objects:
        return "nothing would be lost, the store holds every object of it; campaign costs stay."
    return (
        f"that loses {found.lost_events:,} events for good, of {found.lost_objects:,} objects that the store does not hold any "
        "more; campaign costs stay."
    )
