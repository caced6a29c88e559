"""`clickstream imports` and `clickstream forget`."""

from __future__ import annotations

import click

from clickstream_dagster.cli.show import console, table
from clickstream_dagster.local.importer import notes
from clickstream_dagster.local.importer.notes import Note
from clickstream_dagster.partitions import key_of
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.unload import unload

HEADER = ("import", "began (UTC)", "file", "mapping", "events", "refused", "from (UTC)", "to (UTC)", "state")


@click.command("imports")
def imports_command() -> None:
    """List what was imported, and from what."""
    found = notes.notes(Stack(load_settings(), keeps_settings=True).store)
    if not found:
        console.print("Nothing was imported yet: clickstream import -h")
        return
    table("Imports", HEADER, [_row(note) for note in found])
    console.print("Take one back:  clickstream forget IMPORT")


def _row(note: Note) -> tuple[object, ...]:
    hours = [key_of(hour) if hour else None for hour in (note.first_hour, note.last_hour)]
    state = "whole" if note.finished_at else "not finished: import it again, or forget it"
    return (note.name, note.began_at, note.file, note.mapping, note.events, note.refused, *hours, state)


@click.command("forget")
@click.argument("names", nargs=-1, required=True, metavar="IMPORT...")
def forget_command(names: tuple[str, ...]) -> None:
    """Take IMPORTs back: their objects leave the raw store, their events the tables.

    IMPORT is a name of `clickstream imports`, or its beginning. Every table comes out as if the import had never been.
    """
    stack = Stack(load_settings(), keeps_settings=True)
    for note in [notes.find(stack.store, name) for name in names]:
        forget(stack, note)
    console.print("Bring every table up to date:  clickstream materialize")


def forget(stack: Stack, note: Note) -> None:
    """Take one back. What was cut off is finished by doing it again."""
    with stack.warehouse() as connection:
        done = unload(connection, stack.store, note.name, lambda: notes.remove_objects(stack.store, note))
    notes.remove(stack.store, note)
    again = f"; {done.reread:,} objects that hold other copies are loaded again" if done.reread else ""
    console.print(f"Took back {note.name} ({note.file}): {done.events:,} loaded events left the warehouse{again}.")
