"""`clickstream materialize`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from clickstream_dagster import instance as dagster_instance
from clickstream_dagster.cli.show import console, run_progress
from clickstream_dagster.partitions import HOUR, floor_hour, hours_between, key_of, ranges
from clickstream_dagster.raw import objects
from clickstream_dagster.settings import MAX_EMPTY_HOURS_IN_RANGE, SettingsError, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.ledger import enter_empty_hours
from clickstream_dagster.warehouse.load import unseen_objects

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult


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
def materialize_command(start: datetime | None, end: datetime | None) -> None:
    """Load hours and bring every table up to date, through Dagster, as one run.

    Without options: every hour that has objects which are not loaded. Hours that were loaded before cost next to nothing;
    repeating anything changes nothing.
    """
    stack = Stack(load_settings())
    materialize(stack, start, end)


def materialize(stack: Stack, start: datetime | None = None, end: datetime | None = None) -> None:
    """Materialize as the command does, and say what was done. Raises `RunFailed`."""
    listed_to = floor_hour(datetime.now(UTC))
    wanted = _asked(start, end) if start or end else _unseen(stack)
    if not wanted:
        console.print("Everything is loaded and up to date.")
    else:
        _check_first_hour(stack, wanted[0])
        _run(stack, wanted)
    if not (start or end):
        _enter_empty_hours(stack, wanted, listed_to)


def _asked(start: datetime | None, end: datetime | None) -> list[datetime]:
    last = end or floor_hour(datetime.now(UTC))
    first = start or last
    for option, hour in (("--from", first), ("--to", last)):
        if hour > floor_hour(datetime.now(UTC)):
            raise click.UsageError(f"{option} {key_of(hour)} lies in the future; name an hour that has begun.")
    if first > last:
        raise click.UsageError(f"--from {key_of(first)} lies after --to {key_of(last)}; exchange the two.")
    return list(hours_between(first, last + HOUR))


def _unseen(stack: Stack) -> list[datetime]:
    """Hours with unseen objects; the hour of now when only a rebuild is owed, left by a run that was cut off."""
    with stack.warehouse() as connection:
        now = floor_hour(datetime.now(UTC))
        unseen = {raw.hour for raw in unseen_objects(connection, objects.list_all(stack.store))}
        hours = sorted(hour for hour in unseen if hour <= now)
        if len(hours) < len(unseen):
            console.print(f"Left alone: objects of {len(unseen) - len(hours):,} hours that lie in the future.")
        if not hours:
            with transaction(connection) as cursor:
                hours = [now] if changes.owed(cursor) else []
    return hours


def _check_first_hour(stack: Stack, hour: datetime) -> None:
    first = stack.settings.first_hour
    if hour < first:
        raise SettingsError(
            f"{key_of(hour)} lies before the first partition, {key_of(first)}: set CLICKSTREAM_FIRST_HOUR={hour:%Y-%m-%dT%H:00Z}."
        )


def _run(stack: Stack, hours: list[datetime]) -> None:
    dagster_instance.prepare(stack)
    from clickstream_dagster.runs import failure_of, materialize_hours

    with dagster_instance.open_instance() as instance:
        for first, end in ranges(hours, MAX_EMPTY_HOURS_IN_RANGE):
            with run_progress():
                result = materialize_hours(instance, first, end)
            if not result.success:
                raise RunFailed(
                    f"Run {result.run_id} for {key_of(first)} to {key_of(end - HOUR)} failed: {failure_of(result)} "
                    "What was committed stays; mend the cause and run the same command again."
                )
            _tell(result, first, end)


def _tell(result: ExecuteInProcessResult, first: datetime, end: datetime) -> None:
    metadata = result.asset_materializations_for_node("clickstream_events")[-1].metadata
    counts = {name: metadata[name].value for name in ("received", "loaded", "duplicate", "rejected")}
    hours = int((end - first) / HOUR)
    console.print(
        f"{key_of(first)} to {key_of(end - HOUR)} ({hours:,} hours): received {counts['received']:,} = "
        f"loaded {counts['loaded']:,} + duplicate {counts['duplicate']:,} + rejected {counts['rejected']:,}"
    )


def _enter_empty_hours(stack: Stack, loaded: list[datetime], listed_to: datetime) -> None:
    """The whole bucket was listed, so every closed hour without objects is loaded too."""
    first = max(stack.settings.first_hour, min(loaded, default=listed_to))
    if first < listed_to:
        with stack.warehouse() as connection:
            enter_empty_hours(connection, first, listed_to)
