"""`clickstream replay`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from clickstream_dagster.cli.materializing import Time
from clickstream_dagster.cli.previewing import show_changes
from clickstream_dagster.cli.show import bar, console, table
from clickstream_dagster.partitions import HOUR, key_of
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.preview import preview
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.replay import Replayed, Wanted, rejected, replay

if TYPE_CHECKING:
    from clickstream_dagster.warehouse.connection import Connection

EPILOG = """
\b
An event is rejected by the collector, which keeps its bytes under rejected/, or at loading, as a line of an object. Once the
rule is mended, both are read again: what is an event now is loaded into the hour in which it was received, as if it had never
been refused, and etl_ledger moves it from rejected to loaded. Of the copies of an event the one received first counts.
\b
  clickstream status                                which reasons there are
  clickstream replay --reason internal_error --dry-run
  clickstream replay --reason internal_error

What was personal in a refused event was taken out before it was kept, and is not in what is loaded. Left as they are: what was
too old, too large or empty, and what an import refused (mend the file or its mapping, and import it with --replace).
Repeating a replay changes nothing.
"""


@click.command("replay", epilog=EPILOG)
@click.option("--reason", "reasons", multiple=True, metavar="CODE", help="Only what was rejected for this; repeatable.")
@click.option("--from", "start", type=Time(), help="First hour of receipt, UTC. Default: the first there is.")
@click.option("--to", "end", type=Time(), help="Last hour of receipt, included. Default: the last there is.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing. Other loads wait meanwhile.")
def replay_command(reasons: tuple[str, ...], start: datetime | None, end: datetime | None, dry_run: bool) -> None:
    """Read rejected events again, after a fix, with the rules of now, and bring every table up to date."""
    if start and end and start > end:
        raise click.UsageError(f"--from {key_of(start)} lies after --to {key_of(end)}; swap them.")
    stack = Stack(load_settings(), keeps_settings=dry_run)  # the preview undoes what else it brings in
    wanted = Wanted(reasons, start, end + HOUR if end else None)
    with stack.warehouse() as connection:
        _check_reasons(reasons, rejected(connection, Wanted()))
    if dry_run:
        _show_preview(stack, wanted)
        return
    with stack.warehouse() as connection:
        before = rejected(connection, wanted)
        _show(_replay(connection, stack, wanted), before, rejected(connection, wanted))
        with bar("tables", len(all_models())) as shown:
            rebuild_all(connection, lambda one: shown.update(shown.task_ids[0], advance=1, description=one.model))


def _check_reasons(asked: tuple[str, ...], stand: dict[str, int]) -> None:
    """A reason that nothing was rejected for is most likely misspelled."""
    for reason in asked:
        if stand and reason not in stand:
            raise click.UsageError(f"Nothing is rejected as {reason!r}; there is: {', '.join(stand)}.")


def _replay(connection: Connection, stack: Stack, wanted: Wanted) -> Replayed:
    with bar("objects read again") as shown:
        [task] = shown.task_ids
        return replay(
            connection, stack.store, wanted, lambda done, total: shown.update(task, completed=done, total=total)
        )


def _show_preview(stack: Stack, wanted: Wanted) -> None:
    found: list[tuple[Replayed, dict[str, int], dict[str, int]]] = []

    def act(connection: Connection) -> None:
        before = rejected(connection, wanted)
        done = replay(connection, stack.store, wanted)
        found.append((done, before, rejected(connection, wanted)))

    with bar("preview", len(all_models())) as shown:
        told = preview(
            stack.server, stack.store, stack.settings, lambda _: [], lambda _: shown.advance(shown.task_ids[0]), act
        )
    _show(*found[-1])
    show_changes(told)
    console.print("Nothing was changed. To do it, run the same command without --dry-run.")


def _show(done: Replayed, before: dict[str, int], after: dict[str, int]) -> None:
    if not before:
        console.print("No event was rejected there.")
        return
    console.print(
        f"Read again {done.read:,} rejected events: loaded {done.loaded:,}, duplicate {done.duplicate:,} (copies of events "
        f"received before), still rejected {done.rejected:,}."
    )
    if done.lost:
        console.print(f"Not read: {done.lost:,}, whose objects are not in the store as they were loaded.")
    if before != after:
        codes = sorted({*before, *after}, key=lambda code: (-before.get(code, 0), code))
        rows = [(code, before.get(code, 0), after.get(code, 0)) for code in codes]
        table("Rejected", ("reason", "before", "after"), rows)
