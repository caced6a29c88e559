"""`clickstream expire`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from clickstream_dagster.cli.show import bar, console
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.expiring.expire import Expiry, count, expire
from clickstream_dagster.warehouse.expiring.policy import Policy


@click.command("expire")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
def expire_command(dry_run: bool) -> None:
    """Take out what is older than the policy keeps: raw objects, rejected events, and events with all rows of visitors.

    The policy is three numbers of days, each counted from the receipt: CLICKSTREAM_KEEP_RAW_DAYS, CLICKSTREAM_KEEP_REJECTED_DAYS
    and CLICKSTREAM_KEEP_EVENTS_DAYS. One that is not set keeps for ever; raw objects and rejects are kept no longer than events.
    The daily and hourly sums stay as they are. What is not loaded stays in the store. Stopped anywhere, the same command goes on.

    \b
      clickstream expire --dry-run
      clickstream expire
    """
    stack = Stack(load_settings(), keeps_settings=True)
    with stack.warehouse() as connection:
        if dry_run:
            done = count(connection, stack.store, stack.settings, datetime.now(UTC))
        else:
            with bar("lines expired") as shown:
                [task] = shown.task_ids
                done = expire(
                    *(connection, stack.server, stack.store, stack.settings, datetime.now(UTC)),
                    lambda lines: shown.update(task, completed=lines),
                )
    _tell(done, dry_run)
    sys.exit(1 if done.raw.broken else 0)


def _tell(done: Expiry, is_dry_run: bool) -> None:
    would = "Would remove" if is_dry_run else "Removed"
    _tell_policy(done.policy)
    if done.raw.objects:
        console.print(f"{would} {done.raw.objects:,} raw objects of {done.raw.object_bytes:,} bytes.")
    if done.rejects:
        console.print(f"{would} {done.rejects:,} rejected events.")
    if done.lines:
        hours = f" of {done.hours:,} hours" if is_dry_run else ""
        console.print(
            f"{would} {done.events:,} events{hours}, {done.lines:,} lines with their copies and rejects. Sums stay as they are."
        )
    if done.visitors:
        console.print(f"{done.visitors:,} visitors have no later event: nothing of them would be left.")
    if not (done.raw.objects or done.rejects or done.lines):
        console.print("Nothing is older than that.")
    if done.raw.unloaded:
        console.print(
            f"{done.raw.unloaded:,} raw objects are as old and not loaded: they stay. Load them:  clickstream materialize --all"
        )
    for said in done.raw.broken:
        console.print(f"A pack is broken, and its day stays: {said}", style="red", soft_wrap=True)


def _tell_policy(policy: Policy) -> None:
    kept = (("Raw objects", policy.raw_from), ("Rejected events", policy.rejected_from), ("Events", policy.events_from))
    for name, moment in kept:
        console.print(f"{name} are kept {f'since {moment:%d %b %Y}, 00:00 UTC' if moment else 'for ever'}.")
