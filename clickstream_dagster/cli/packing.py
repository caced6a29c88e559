"""`clickstream pack`."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

import click

from clickstream_dagster.cli.materializing import Time
from clickstream_dagster.cli.show import bar, console
from clickstream_dagster.partitions import HOUR, key_of
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.packing.hours import pack_hours, packable_prefixes
from clickstream_dagster.warehouse.packing.steps import Packed


@click.command("pack")
@click.option("--from", "start", type=Time(), help="First hour, UTC. Default: the first one that was loaded.")
@click.option("--to", "end", type=Time(), help="Last hour, included. Default: the last closed one.")
@click.option("--dry-run", is_flag=True, help="Say what would be packed and deleted, and write nothing.")
def pack_command(start: datetime | None, end: datetime | None, dry_run: bool) -> None:
    """Pack the small raw objects of each closed hour into one large one.

    No table changes by it: whoever lists an hour finds its objects under their own keys, and an empty warehouse is loaded from
    packs as from the objects. A pack is read back when it is written. The objects that it holds are deleted when it is
    CLICKSTREAM_PACK_GRACE_DAYS old (7), after it was read once more. Stopped anywhere, the same command goes on.

    \b
      clickstream pack --dry-run
      clickstream pack
      clickstream pack --from 2026-11-01 --to 2026-11-30T23:00
    """
    if start and end and start > end:
        raise click.UsageError(f"--from {key_of(start)} lies after --to {key_of(end)}; swap them.")
    stack = Stack(load_settings(), keeps_settings=True)
    grace = timedelta(days=stack.settings.pack_grace_days)
    with stack.warehouse() as connection:
        prefixes = packable_prefixes(connection, stack.store, start, end and end + HOUR)
        with bar("folders packed", len(prefixes)) as shown:
            [task] = shown.task_ids
            done = pack_hours(connection, stack.store, prefixes, grace, lambda _: shown.advance(task), dry_run)
    _tell(done, dry_run, stack.settings.pack_grace_days)
    sys.exit(1 if done.broken else 0)


def _tell(done: Packed, is_dry_run: bool, days: int) -> None:
    would = "Would pack" if is_dry_run else "Packed"
    if done.objects:
        size = "" if is_dry_run else f" of {done.pack_bytes:,}"
        console.print(
            f"{would} {done.objects:,} objects of {done.object_bytes:,} bytes into {done.packs:,} packs{size}"
            f"{'' if is_dry_run else ' bytes'}. They are deleted in {days} days."
        )
    if done.deleted:
        console.print(
            f"{'Would delete' if is_dry_run else 'Deleted'} {done.deleted:,} objects that packs have held for {days} days."
        )
    if not (done.objects or done.deleted or done.broken):
        console.print("Nothing to pack, and nothing to delete.")
    for said in done.broken:
        console.print(f"A pack is broken, and what it was made of stays: {said}", style="red", soft_wrap=True)
