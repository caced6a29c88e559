"""`clickstream materialize`."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from clickstream_dagster import instance as dagster_instance
from clickstream_dagster.cli.previewing import show_preview
from clickstream_dagster.cli.shop_orders import read_shop
from clickstream_dagster.cli.show import console, many, run_progress
from clickstream_dagster.cli.status import show_outside, show_strangers
from clickstream_dagster.partitions import HOUR, floor_hour, hours_between, key_of, ranges
from clickstream_dagster.settings import MAX_EMPTY_HOURS_IN_RANGE, SettingsError, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import connect, transaction
from clickstream_dagster.warehouse.migrate import changed_settings
from clickstream_dagster.warehouse.unseen import enter_listed, look, look_everywhere

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult


#: A person who waits for a command may wait a little longer than a tick.
PRUNED_RUNS = 500


class Time(click.ParamType[datetime]):
    """A moment, UTC unless it says otherwise."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return floor_hour(value if isinstance(value, datetime) else datetime.fromisoformat(str(value)))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time; use 2026-11-20 or 2026-11-20T05:00.", param, ctx)


class RunFailed(RuntimeError):
    """A Dagster run failed; the message names it."""


@click.command("materialize")
@click.option("--from", "start", type=Time(), help="First hour, UTC. Default: every hour that has unseen objects.")
@click.option("--to", "end", type=Time(), help="Last hour, included. Default: the hour of now.")
@click.option(
    "--all", "everywhere", is_flag=True, help="Look at every object of the store, not only where one can be new."
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing. Other loads wait meanwhile.")
def materialize_command(start: datetime | None, end: datetime | None, everywhere: bool, dry_run: bool) -> None:
    """Load hours and bring every table up to date, through Dagster, as one run.

    Without options it loads every hour that has new objects, and looks only where there can be some. It finds objects that
    you copied into old hours of a bucket with --all, or with --from and --to. Running it again changes nothing.
    """
    if everywhere and (start or end):
        raise click.UsageError("--all looks at every hour; leave out --from and --to.")
    stack = Stack(load_settings())
    if dry_run:
        show_preview(stack, _hours_asked(stack, start, end), everywhere)
    else:
        materialize(stack, start, end, everywhere)


def show_changed_settings(stack: Stack) -> None:
    """A terminal in which a setting was forgotten would otherwise build all of history again without a word."""
    with closing(connect(stack.server)) as connection:
        changed = changed_settings(connection, stack.settings)
    if changed:
        console.print(
            f"Other settings than the tables were built with: {'; '.join(changed)}. The tables are rebuilt with the new ones. If "
            "you did not mean that, set them back and run this again.",
            style="yellow",
            soft_wrap=True,
        )


def materialize(
    stack: Stack, start: datetime | None = None, end: datetime | None = None, everywhere: bool = False
) -> None:
    """Materialize as the command does, and say what was done. Raises `RunFailed`."""
    wanted = _hours_asked(stack, start, end)
    show_changed_settings(stack)
    if wanted:
        _run(stack, wanted)
    else:
        _run_unseen(stack, everywhere)
    read_shop(stack)  # last: a shop that does not answer holds no event up


def _run_unseen(stack: Stack, everywhere: bool) -> None:
    with stack.warehouse() as connection:
        found = (look_everywhere if everywhere else look)(connection, stack.store, stack.settings)
        with transaction(connection) as cursor:
            is_owed = bool(changes.owed(cursor))
    show_outside(found, stack.settings)
    show_strangers(found)
    if found.unseen:
        _run(stack, sorted(found.unseen))
    elif is_owed:  # a rebuild, left by a run that was cut off
        _run(stack, [floor_hour(found.began)])
    else:
        console.print("Everything is loaded and up to date.")
    with stack.warehouse() as connection:
        enter_listed(connection, found, stack.settings)


def _hours_asked(stack: Stack, start: datetime | None, end: datetime | None) -> list[datetime]:
    """The hours of the options; none where neither is given."""
    if not (start or end):
        return []
    last = end or floor_hour(datetime.now(UTC))
    first = start or last
    for option, hour in (("--from", first), ("--to", last)):
        if hour > floor_hour(datetime.now(UTC)):
            raise click.UsageError(f"{option} {key_of(hour)} lies in the future; name an hour that has begun.")
    if first > last:
        raise click.UsageError(f"--from {key_of(first)} lies after --to {key_of(last)}; swap them.")
    if first < stack.settings.first_hour:
        raise SettingsError(
            f"{key_of(first)} lies before the first partition, {key_of(stack.settings.first_hour)}: "
            f"set CLICKSTREAM_FIRST_HOUR={first:%Y-%m-%dT%H:00Z}."
        )
    return list(hours_between(first, last + HOUR))


def _run(stack: Stack, hours: list[datetime]) -> None:
    dagster_instance.prepare(stack)
    from clickstream_dagster.retention import prune
    from clickstream_dagster.runs import failure_of, materialize_hours

    with dagster_instance.open_instance() as instance:
        for first, end in ranges(hours, MAX_EMPTY_HOURS_IN_RANGE):
            with run_progress():
                result = materialize_hours(instance, first, end)
            if not result.success:
                raise RunFailed(
                    f"Run {result.run_id} for {key_of(first)} to {key_of(end - HOUR)} failed: {failure_of(result)} "
                    "What was committed stays; fix the cause and run the same command again."
                )
            _tell(result, first, end)
        prune(instance, stack.settings.run_retention_days, PRUNED_RUNS)


def _tell(result: ExecuteInProcessResult, first: datetime, end: datetime) -> None:
    metadata = result.asset_materializations_for_node("clickstream_events")[-1].metadata
    counts = {name: metadata[name].value for name in ("received", "loaded", "duplicate", "rejected", "erased")}
    hours = int((end - first) / HOUR)
    console.print(
        f"{key_of(first)} to {key_of(end - HOUR)} ({many(hours, 'hour')}): received {counts['received']:,} = "
        f"loaded {counts['loaded']:,} + duplicate {counts['duplicate']:,} + rejected {counts['rejected']:,}"
        + (f" + erased {counts['erased']:,}" if counts["erased"] else "")
    )
