"""`clickstream erase` and `clickstream export`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from clickstream_dagster.cli.show import bar, console, table
from clickstream_dagster.raw.erased import USER, VISITOR
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.erasing import people
from clickstream_dagster.warehouse.erasing.erase import Receipt, count, erase, sweep_again
from clickstream_dagster.warehouse.erasing.vacuum import vacuum
from clickstream_dagster.warehouse.lake.write import check_writable, refresh
from clickstream_dagster.warehouse.rebuild import rebuild_all

_OPTIONS = {"client_id": VISITOR, "user_id": USER, "person": "person"}


def _whom(command: Callable[..., None]) -> Callable[..., None]:
    """The three ways to say who is meant."""
    for option, what in (
        (
            "--person",
            "A person_id: the user, with every browser that is theirs alone; or a browser that nobody signed in on.",
        ),
        ("--user-id", "What was done signed in as this user, on any browser; not what a browser did before."),
        ("--client-id", "This browser, whoever used it."),
    ):
        command = click.option(option, metavar="ID", help=what)(command)
    return command


def _asked(given: dict[str, str | None]) -> tuple[str, str] | None:
    chosen = [(_OPTIONS[option], name) for option, name in given.items() if name]
    if len(chosen) > 1:
        raise click.UsageError("Name one: --client-id, --user-id or --person.")
    return chosen[0] if chosen else None


@click.command("erase")
@_whom
@click.option(
    "--again", is_flag=True, help="Erase what came back of people erased before: late retries, a restored bucket."
)
@click.option("--dry-run", is_flag=True, help="Say how much would go, and change nothing.")
def erase_command(again: bool, dry_run: bool, **given: str | None) -> None:
    """Erase a visitor from the raw objects and all tables, for good.

    Their lines leave the raw store (older versions of the objects too), rejects, duplicates, facts, sums and the lake. Nobody
    else's rows change. A list of salted hashes keeps later loads from bringing them back: whatever comes with these ids is not
    loaded any more. Prints a receipt without personal data, which stays in the table erasures. Run it again if it was cut off.

    \b
      clickstream erase --person 4711 --dry-run
      clickstream erase --person 4711
      clickstream erase --client-id 0b8fe8a2-6f5e-4f0c-a8a4-6b5c1f9d2e11

    Backups of the database and of the bucket keep what is in them until they expire: docs/security.md says how long.
    """
    asked = _asked(given)
    if (asked is None) != again:
        raise click.UsageError("Say who: --client-id, --user-id or --person; or --again, alone.")
    stack = Stack(load_settings(), keeps_settings=True)
    with stack.warehouse() as connection:
        if asked and dry_run:
            _show("Would be erased", count(connection, stack.store, people.ids_of(connection, *asked)))
            return
        if dry_run:
            _show("Would be erased", count(connection, stack.store, set()))
            return
        check_writable(connection)
        rebuild_all(connection)  # whose a browser is must be known to the last event
        with bar("objects") as shown:
            [task] = shown.task_ids

            def follow(done: int, total: int) -> None:
                shown.update(task, completed=done, total=total)

            receipt: Receipt | None
            if asked:
                receipt = erase(connection, stack.store, people.ids_of(connection, *asked), follow)
            else:
                receipt = sweep_again(connection, stack.store, follow)
            shown.update(task, description="tables")
            rebuild_all(connection)
            vacuum(connection)
            shown.update(task, description="lake")
            refresh(connection, stack.store, is_erasing=True)
    if receipt:
        _show("Erased", asdict(receipt))
        console.print(f"Receipt {receipt.receipt_id}, {receipt.erased_at:%Y-%m-%d %H:%M} UTC")
    else:
        console.print("Nothing has come back of anybody who was erased.")


@click.command("export")
@_whom
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="A file to write. Default: standard output."
)
def export_command(out: Path | None, **given: str | None) -> None:
    """Print everything that the warehouse knows about a visitor, as JSON: events with all fields, sessions, orders, carts,
    segments, rejects, each table under its name.

    \b
      clickstream export --person 4711 > 4711.json
    """
    asked = _asked(given)
    if not asked:
        raise click.UsageError("Say who: --client-id, --user-id or --person.")
    stack = Stack(load_settings(), keeps_settings=True)
    with stack.warehouse() as connection:
        known = dict(people.known_of(connection, people.ids_of(connection, *asked)))
    written = msgspec.json.format(msgspec.json.encode({name: rows for name, rows in known.items() if rows}), indent=1)
    file: BinaryIO = out.open("wb") if out else sys.stdout.buffer
    file.write(written + b"\n")
    if out:
        file.close()


def _show(title: str, counts: dict[str, Any]) -> None:
    names = [name for name in Receipt.COUNTS if name in counts]
    table(title, [name.replace("_", " ") for name in names], [[counts[name] for name in names]])
